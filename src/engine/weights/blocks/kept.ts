/**
 * A file of quantized weights. It is a safetensors file with the matrices in the order of their layout; a note in the header
 * says what they were made from. Nothing in it is trusted: a file whose header is not the one that is expected, or whose data
 * are not those of their digests, is not used.
 */
import { createHash } from 'node:crypto';
import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { keyText, weightKeys } from '../../checkpoint/weight-key';
import { systemErrorCode, UserError } from '../../errors';
import { passingFile, useKept } from '../../files/kept-files';
import { OutputFile } from '../../files/output-file';
import { temporaryName } from '../../files/partial';
import { readShardHeader } from '../../formats/safetensors/file';
import { headerBytes } from '../../formats/safetensors/tensor-file';
import { storedTensor } from '../../formats/stored-tensor';
import { BLOCK, blocksOf } from '../../onnx/ops/blocks';
import type { JobOptions } from '../../progress';
import { type NoteKind, openNote } from '../header-note';
import { originOf, type WeightSource, wholeOrigin } from '../source';
import { type BlockLayout, bytesOfBlocks, type PlacedMatrix } from './layout';
import { QUANTIZER_VERSION, quantizeModel } from './quantize-model';
import { type BlockStore, FileSink, FileStore } from './store';
import { blankSums, haveSums, sumsOf } from './sums';

/** Quantized weights, and the digests of the blocks. */
export interface Quantized {
  readonly store: BlockStore;
  readonly digests: readonly string[];
}

const NOTE_KEY = 'coppice.quantized';
const KIND: NoteKind = {
  key: NOTE_KEY,
  version: QUANTIZER_VERSION,
  limits: { depth: 4, keyLength: 64, members: 16, items: 8192, uniqueKeys: true },
  maxCharacters: 1_000_000,
  file: 'a file of quantized weights',
  action: 'Remove the file.',
};

/** Names of files: of a model, a precision and a version. */
export const KEPT_NAMES = /^[0-9a-f]{24}-int[48]$/;

/** SHA-256 (hex) of what the quantized weights follow from: where all numbers come from, and how they are rounded. */
export function keyOf(source: WeightSource, { bits, hasOffsets }: BlockLayout): string {
  const hash = createHash('sha256').update(JSON.stringify(['coppice quantized', QUANTIZER_VERSION, bits, hasOffsets]));
  let [last, from] = ['', 0];
  let index = 0;
  for (const key of [...weightKeys(source.architecture), 'head' as const]) {
    const origin = typeof key === 'string' ? wholeOrigin(source, key) : originOf(source, key);
    const text = JSON.stringify([origin.identity, origin.revision ?? null]);
    if (text !== last) hash.update(`\n${from} ${index} ${last}`);
    if (text !== last) [last, from] = [text, index];
    index++;
  }
  return hash.update(`\n${from} ${index} ${last}`).digest('hex');
}

/** The file's name. It is short enough to be the beginning of a temporary name. */
const nameOf = (key: string, { bits }: BlockLayout): string => `${key.slice(0, 24)}-int${bits}`;

/** The quantized weights in the folder; undefined if there is no file, or none that can be used. */
export async function openKept(
  folder: string,
  key: string,
  layout: BlockLayout,
  job: JobOptions = {},
): Promise<Quantized | undefined> {
  const end = await useKept(folder, nameOf(key, layout));
  let opened: Quantized | undefined;
  try {
    opened = await readKept(folder, key, layout, end, job);
  } finally {
    if (!opened) await end();
  }
  return opened;
}

async function readKept(
  folder: string,
  key: string,
  layout: BlockLayout,
  end: () => Promise<void>,
  job: JobOptions,
): Promise<Quantized | undefined> {
  const name = nameOf(key, layout);
  try {
    const { shard, tensors } = await readShardHeader(join(folder, name), name);
    const { note } = openNote(shard.metadata, KIND, name);
    const { digests, sums } = note;
    if (note.key !== key || !isDigests(digests)) return undefined;
    const stored = tensors.map(storedTensor);
    const start = stored[0].offset;
    const found = stored.map(({ name: tensor, dtype, shape, offset }) => [tensor, dtype, [...shape], offset - start]);
    const expected = tensorsOf(layout).map(({ name: tensor, dtype, shape, start: at }) => [tensor, dtype, shape, at]);
    if (!isDeepStrictEqual(found, expected)) return undefined;
    if (!(await haveSums(sums, shard.file, start, layout.bytes, job))) return undefined;
    return { store: new FileStore(shard.file, start, end), digests };
  } catch (error) {
    if (error instanceof UserError || systemErrorCode(error) !== undefined) return undefined;
    throw error;
  }
}

const isDigests = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every((one) => typeof one === 'string' && /^[0-9a-f]{64}$/.test(one));

/**
 * Quantizes the weights into a file of the folder. It is complete or not there.
 * @param lasts whether it stays when it is no longer used
 * @throws UserError when the source cannot be read; the system's error when the file cannot be written; CancelledError
 */
export async function writeKept(
  folder: string,
  key: string,
  source: WeightSource,
  layout: BlockLayout,
  lasts: boolean,
  job: JobOptions,
): Promise<Quantized> {
  const name = nameOf(key, layout);
  const temporary = join(folder, temporaryName(name));
  const remove = passingFile(temporary);
  try {
    const blank = headerOf(layout, key, {
      digests: source.architecture.layers.map(() => '0'.repeat(64)),
      sums: blankSums(layout.bytes),
    });
    let digests: string[] = [];
    await OutputFile.fill(temporary, async (file) => {
      const sink = new FileSink(file.handle, blank.length, (bytes) => file.wrote(bytes));
      digests = await quantizeModel(source, layout, sink, job);
      if (!lasts) return; // nobody opens it again
      const sums = await sumsOf(temporary, blank.length, layout.bytes, { signal: job.signal });
      await file.handle.write(headerOf(layout, key, { digests, sums }), 0, blank.length, 0);
    });
    if (!lasts) return { store: new FileStore(temporary, blank.length, remove), digests };
    const end = await useKept(folder, name);
    await rename(temporary, join(folder, name));
    return { store: new FileStore(join(folder, name), blank.length, end), digests };
  } catch (error) {
    await remove();
    throw error;
  }
}

interface KeptTensor {
  readonly name: string;
  readonly dtype: 'U8' | 'F32';
  readonly shape: readonly number[];
  readonly start: number;
  readonly bytes: number;
}

/** All tensors of the file, in the order of their bytes. */
function tensorsOf({ matrices }: BlockLayout): KeptTensor[] {
  const tensors = [...matrices.values()].flatMap((matrix: PlacedMatrix): KeptTensor[] => {
    const { key, bits, out, columns } = matrix;
    const bytes = bytesOfBlocks(columns, bits, out);
    const blocks = blocksOf(columns);
    const part = (part: 'values' | 'scales' | 'zeros', dtype: 'U8' | 'F32', shape: number[]): KeptTensor => {
      return { name: `${keyText(key)}.${part}`, dtype, shape, start: matrix[part], bytes: bytes[part] };
    };
    return [
      part('values', 'U8', [out, blocks, (BLOCK * bits) / 8]),
      part('scales', 'F32', [out, blocks]),
      part('zeros', 'U8', [out, bytes.zeros / out]),
    ];
  });
  return tensors.sort((a, b) => a.start - b.start);
}

interface Digests {
  /** Of the blocks: of what is in them, however it lies in the file. */
  readonly digests: readonly string[];
  /** Of the pieces of the file. */
  readonly sums: readonly string[];
}

/** Its length does not depend on the digests. */
function headerOf(layout: BlockLayout, key: string, { digests, sums }: Digests): Buffer {
  const note = JSON.stringify({ version: QUANTIZER_VERSION, key, digests, sums });
  const entries = tensorsOf(layout).map(({ name, dtype, shape, start, bytes }) => {
    return [name, { dtype, shape, data_offsets: [start, start + bytes] }] as const;
  });
  return headerBytes({ __metadata__: { [NOTE_KEY]: note }, ...Object.fromEntries(entries) });
}
