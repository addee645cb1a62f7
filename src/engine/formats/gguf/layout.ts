/**
 * Lays out a GGUF file (version 3, little-endian): the bytes of its header, and the place of every tensor after it. The
 * reverse of file.ts.
 */
import { MAX_GGUF_ENTRIES, MAX_GGUF_HEADER_BYTES, MAX_GGUF_KEY, MAX_GGUF_TENSOR_NAME, MAX_TENSORS } from '../limits';
import type { FixedType } from './cursor';
import { align, type GgufTensor } from './tensors';
import { type GgufValueType, TENSOR_TYPES_BY_NAME, type TensorType, VALUE_BYTES, VALUE_TYPES } from './types';

type NumberType = Exclude<FixedType, 'bool' | 'u64' | 'i64'>;

/** A value of the metadata with the type that it is stored as. */
export type GgufValue =
  | { readonly type: NumberType; readonly value: number }
  | { readonly type: 'u64' | 'i64'; readonly value: bigint }
  | { readonly type: 'bool'; readonly value: boolean }
  | { readonly type: 'string'; readonly value: string }
  | { readonly type: 'array'; readonly of: FixedType; readonly values: Iterable<number> & { readonly length: number } }
  | { readonly type: 'array'; readonly of: 'string'; readonly values: readonly string[] }
  /** The number of a type and a value, as they lie in another file. */
  | { readonly type: 'copied'; readonly bytes: Uint8Array };

/** An entry of the metadata. */
export type GgufField = readonly [key: string, value: GgufValue];

/** A tensor before it has a place. Its shape is rows first, as everywhere in Coppice. */
export type UnplacedTensor = Pick<GgufTensor, 'name' | 'dtype' | 'shape'>;

export interface GgufLayout<T extends UnplacedTensor = UnplacedTensor> {
  /** The file up to the first tensor's bytes, padding included. */
  readonly header: Buffer;
  /** In the order of their bytes; offsets count from the start of the file. */
  readonly tensors: readonly (T & Pick<GgufTensor, 'offset' | 'bytes'>)[];
  /** Size of the file. The last tensor is padded too. */
  readonly bytes: number;
}

/** Every tensor begins at a multiple of this many bytes, which readers assume unless the metadata says otherwise. */
export const GGUF_ALIGNMENT = 32;
const VERSION = 3;
const MAX_DIMS = 4;
/** More than 2 ** 53 − 1 bytes would not be exact numbers here. ggml counts elements in 63 bits. */
const MAX_BYTES = Number.MAX_SAFE_INTEGER;

/** @throws Error for what the format cannot hold: names and keys too long, unknown types, numbers out of range, twins */
export function layOutGguf<T extends UnplacedTensor>(
  fields: readonly GgufField[],
  tensors: readonly T[],
): GgufLayout<T> {
  requireCounts(fields, tensors);
  const placed: (T & Pick<GgufTensor, 'offset' | 'bytes'>)[] = [];
  let end = 0;
  for (const tensor of tensors) {
    const bytes = bytesOf(tensor);
    placed.push({ ...tensor, offset: end, bytes });
    end = align(end + bytes, GGUF_ALIGNMENT);
    if (end > MAX_BYTES) throw new Error(`${tensor.name} ends beyond ${MAX_BYTES} bytes`);
  }
  const out = new Bytes();
  out.raw(Buffer.from('GGUF', 'latin1'));
  out.fixed('u32', VERSION);
  out.fixed('u64', BigInt(tensors.length));
  out.fixed('u64', BigInt(fields.length));
  for (const [key, value] of fields) writeField(out, key, value);
  for (const tensor of placed) writeTensor(out, tensor);
  out.pad(GGUF_ALIGNMENT);
  const header = out.done();
  if (header.length > MAX_GGUF_HEADER_BYTES) throw new Error(`the header has ${header.length} bytes`);
  return {
    header,
    tensors: placed.map((tensor) => ({ ...tensor, offset: header.length + tensor.offset })),
    bytes: header.length + end,
  };
}

function requireCounts(fields: readonly GgufField[], tensors: readonly UnplacedTensor[]): void {
  if (fields.length > MAX_GGUF_ENTRIES) throw new Error(`${fields.length} entries of metadata`);
  if (tensors.length > MAX_TENSORS) throw new Error(`${tensors.length} tensors`);
  requireDistinct(fields.map(([key]) => key));
  requireDistinct(tensors.map(({ name }) => name));
}

function requireDistinct(names: readonly string[]): void {
  const seen = new Set<string>();
  for (const name of names) {
    if (seen.has(name)) throw new Error(`${name} occurs twice`);
    seen.add(name);
  }
}

function writeField(out: Bytes, key: string, field: GgufValue): void {
  if (key === '' || Buffer.byteLength(key) > MAX_GGUF_KEY) throw new Error(`a key of ${Buffer.byteLength(key)} bytes`);
  out.text(key);
  if (field.type === 'copied') {
    out.raw(field.bytes);
    return;
  }
  out.type(field.type);
  try {
    if (field.type === 'string') out.text(field.value);
    else if (field.type !== 'array') out.fixed(field.type, field.value);
    else {
      out.type(field.of);
      out.fixed('u64', BigInt(field.values.length));
      if (field.of === 'string') field.values.forEach((text) => out.text(text));
      else for (const number of field.values) out.fixed(field.of, number);
    }
  } catch (error) {
    throw new Error(`${key} cannot be stored`, { cause: error });
  }
}

function writeTensor(out: Bytes, { name, dtype, shape, offset }: UnplacedTensor & { readonly offset: number }): void {
  const length = Buffer.byteLength(name);
  if (length === 0 || length > MAX_GGUF_TENSOR_NAME) {
    throw new Error(`the name ${name.slice(0, 80)} has ${length} bytes, more than ${MAX_GGUF_TENSOR_NAME} or none`);
  }
  out.text(name);
  out.fixed('u32', shape.length);
  for (const dimension of [...shape].reverse()) out.fixed('u64', BigInt(dimension));
  out.fixed('u32', typeOf(dtype).number);
  out.fixed('u64', BigInt(offset));
}

function typeOf(dtype: string): TensorType & { readonly number: number } {
  const type = TENSOR_TYPES_BY_NAME.get(dtype);
  if (!type) throw new Error(`${dtype} is not a type of ggml`);
  return type;
}

function bytesOf({ name, dtype, shape }: UnplacedTensor): number {
  const { blockElements, blockBytes } = typeOf(dtype);
  const bad = shape.length === 0 || shape.length > MAX_DIMS || !shape.every((n) => Number.isSafeInteger(n) && n > 0);
  if (bad || shape[shape.length - 1] % blockElements !== 0)
    throw new Error(`${name} has the shape [${shape.join(', ')}]`);
  const bytes = shape.reduce((product, n) => product * n, blockBytes / blockElements);
  if (bytes > MAX_BYTES) throw new Error(`${name} has more than ${MAX_BYTES} bytes`);
  return bytes;
}

/** Grows as values are appended. */
class Bytes {
  private buffer = Buffer.alloc(64 * 1024);
  private length = 0;

  raw(bytes: Uint8Array): void {
    this.room(bytes.length);
    this.buffer.set(bytes, this.length);
    this.length += bytes.length;
  }

  type(type: GgufValueType): void {
    this.fixed('u32', VALUE_TYPES.indexOf(type));
  }

  /** Its length in bytes, then its UTF-8. */
  text(text: string): void {
    if (/\p{Surrogate}/u.test(text)) throw new Error('a text has half of a character');
    const bytes = Buffer.byteLength(text);
    this.fixed('u64', BigInt(bytes));
    this.room(bytes);
    this.length += this.buffer.write(text, this.length, 'utf8');
  }

  /** @throws RangeError for a number that the type does not hold */
  fixed(type: FixedType, value: number | bigint | boolean): void {
    const bytes = VALUE_BYTES[type];
    this.room(bytes);
    const at = this.length;
    this.length += bytes;
    if (type === 'u64') this.buffer.writeBigUInt64LE(BigInt(value), at);
    else if (type === 'i64') this.buffer.writeBigInt64LE(BigInt(value), at);
    else if (type === 'f32' && Number.isFinite(value) && !Number.isFinite(Math.fround(Number(value)))) {
      throw new RangeError(`${String(value)} is no float32`);
    } else if (type === 'f32') this.buffer.writeFloatLE(Number(value), at);
    else if (type === 'f64') this.buffer.writeDoubleLE(Number(value), at);
    else if (!Number.isInteger(Number(value))) throw new RangeError(`${String(value)} is not a whole number`);
    else if (type === 'i8' || type === 'i16' || type === 'i32') this.buffer.writeIntLE(Number(value), at, bytes);
    else this.buffer.writeUIntLE(Number(value), at, bytes);
  }

  /** Zeros up to a multiple of `alignment`. */
  pad(alignment: number): void {
    this.raw(Buffer.alloc(align(this.length, alignment) - this.length));
  }

  done(): Buffer {
    return this.buffer.subarray(0, this.length);
  }

  private room(bytes: number): void {
    if (this.length + bytes <= this.buffer.length) return;
    const larger = Buffer.alloc(Math.max(2 * this.buffer.length, this.length + bytes));
    larger.set(this.buffer.subarray(0, this.length));
    this.buffer = larger;
  }
}
