/** GGUF files for tests, laid out byte by byte: sound ones, and ones that say what they should not. */
import type { ByteSource } from '../../src/engine/formats/gguf/cursor';
import { VALUE_TYPES } from '../../src/engine/formats/gguf/types';

type TypeName = (typeof VALUE_TYPES)[number];

/** A metadata value as its bytes, type number first. */
export type Value = Buffer;

export const u32 = (value: number): Buffer => Buffer.from(Uint32Array.of(value).buffer);
export const u64 = (value: number | bigint): Buffer => Buffer.from(BigUint64Array.of(BigInt(value)).buffer);
export const text = (value: string): Buffer => Buffer.concat([u64(Buffer.byteLength(value)), Buffer.from(value)]);
export const typeNumber = (name: TypeName): Buffer => u32(VALUE_TYPES.indexOf(name));

export const value = (name: TypeName, bytes: Buffer): Value => Buffer.concat([typeNumber(name), bytes]);
export const list = (of: TypeName, items: readonly Buffer[], length: number | bigint = items.length): Value =>
  Buffer.concat([typeNumber('array'), typeNumber(of), u64(length), ...items]);

export interface Tensor {
  readonly name: string;
  /** In the order of the file: elements of a row first. */
  readonly dims: readonly (number | bigint)[];
  /** ggml type number; F32 when undefined. */
  readonly type?: number;
  readonly offset: number | bigint;
}

export interface Layout {
  readonly version?: number;
  readonly metadata?: readonly (readonly [key: string, value: Value])[];
  readonly tensors?: readonly Tensor[];
  /** Bytes after the padded header. */
  readonly data?: number;
  readonly alignment?: number;
  /** What the file says of its counts, where that is a lie. */
  readonly counts?: { readonly tensors?: number | bigint; readonly entries?: number | bigint };
}

/** The bytes of a GGUF file. */
export function layOutGguf(layout: Layout): Buffer {
  const { version = 3, metadata = [], tensors = [], data = 0, alignment = 32, counts = {} } = layout;
  const header = Buffer.concat([
    Buffer.from('GGUF'),
    u32(version),
    u64(counts.tensors ?? tensors.length),
    u64(counts.entries ?? metadata.length),
    ...metadata.flatMap(([key, bytes]) => [text(key), bytes]),
    ...tensors.flatMap(({ name, dims, type = 0, offset }) => [
      text(name),
      u32(dims.length),
      ...dims.map(u64),
      u32(type),
      u64(offset),
    ]),
  ]);
  return Buffer.concat([header, Buffer.alloc(Math.ceil(header.length / alignment) * alignment - header.length + data)]);
}

/** Two blocks of a toy model: an embedding and one matrix a block. */
export const SOUND: Layout = {
  metadata: [
    ['general.architecture', value('string', text('llama'))],
    ['llama.block_count', value('u32', u32(2))],
    ['llama.embedding_length', value('u32', u32(8))],
    ['llama.attention.head_count', value('u32', u32(2))],
    ['tokenizer.ggml.tokens', list('string', ['a', 'b', 'c', 'd'].map(text))],
    ['tokenizer.ggml.scores', list('f32', [0, 1, 2, 3].map(u32))],
  ],
  tensors: [
    { name: 'token_embd.weight', dims: [8, 4], offset: 0 },
    { name: 'blk.0.ffn_up.weight', dims: [8, 16], offset: 128 },
    { name: 'blk.1.ffn_up.weight', dims: [8, 16], offset: 640 },
  ],
  data: 1152,
};

/** Bytes in memory as a file; `reads` counts what was asked for. */
export function memorySource(bytes: Buffer, claimed = bytes.length): ByteSource & { reads: number } {
  return {
    bytes: claimed,
    reads: 0,
    read(position, length) {
      this.reads += length;
      const piece = bytes.subarray(position, position + length);
      return Promise.resolve(piece.length === length ? piece : Buffer.concat([piece], length));
    },
  };
}
