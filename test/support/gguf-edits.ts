/** GGUF files for tests, made from real ones: other metadata, other tensors, several files. */
import { readFileSync, writeFileSync } from 'node:fs';
import { openGguf } from '../../src/engine/formats/gguf/file';
import { layOutGguf, text as textOf } from './gguf-files';
import { TENSOR_TYPES } from '../../src/engine/formats/gguf/types';

export interface EditedTensor {
  readonly name: string;
  /** ggml's name of the type. */
  readonly dtype: string;
  /** Rows first. */
  readonly shape: readonly number[];
  readonly data: Buffer;
}

export interface GgufContent {
  /** Key → value with its type in front, as in the file. */
  metadata: Map<string, Buffer>;
  tensors: EditedTensor[];
}

/** Everything in the file at `path`. */
export async function readGgufContent(path: string): Promise<GgufContent> {
  const bytes = readFileSync(path);
  const { metadata, tensors } = await openGguf(path);
  return {
    metadata: new Map(
      [...metadata.values()].map(({ key, offset, end }) => [key, bytes.subarray(offset + textOf(key).length, end)]),
    ),
    tensors: tensors.map(({ name, dtype, shape, offset, bytes: size }) => {
      return { name, dtype, shape, data: bytes.subarray(offset, offset + size) };
    }),
  };
}

/** The bytes of a file with this content. */
export function ggufBytes({ metadata, tensors }: GgufContent): Buffer {
  const numbers = new Map([...TENSOR_TYPES].map(([number, { name }]) => [name as string, number]));
  const data: Buffer[] = [];
  let offset = 0;
  const listed = tensors.map(({ name, dtype, shape, data: own }) => {
    const at = offset;
    const padding = Buffer.alloc(-own.length & 31);
    data.push(own, padding);
    offset += own.length + padding.length;
    return { name, dims: [...shape].reverse(), type: numbers.get(dtype), offset: at };
  });
  return Buffer.concat([layOutGguf({ metadata: [...metadata], tensors: listed }), ...data]);
}

/** Writes the file `to` as `from` with changes. */
export async function editGguf(from: string, to: string, edit: (content: GgufContent) => void): Promise<string> {
  const content = await readGgufContent(from);
  edit(content);
  writeFileSync(to, ggufBytes(content));
  return to;
}
