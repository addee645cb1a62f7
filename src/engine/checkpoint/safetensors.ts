/**
 * The header of one safetensors file: 8 bytes of length (little-endian), a JSON object of that many bytes, then the
 * tensors' bytes without gap or overlap to the end of the file. Held to the reference reader's rules.
 */
import { createHash } from 'node:crypto';
import { realpath } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { UserError } from '../errors';
import { isObject, JsonProblem, parseBoundedJson, printable } from './bounded-json';
import { DTYPE_BITS, type Dtype } from './dtype';
import { readRange, withFile } from './file';
import { disguise } from './disguise';
import { FIRST_READ_BYTES, HEADER_DEPTH, MAX_HEADER_BYTES, MAX_NAME_LENGTH, MAX_RANK, MAX_TENSORS } from './limits';
import type { Shard, TensorInfo } from './types';

export interface ShardHeader {
  readonly shard: Shard;
  /** In the order of their bytes. */
  readonly tensors: readonly TensorInfo[];
  /** SHA-256 of the header's JSON as it lies in the file. */
  readonly digest: Buffer;
}

const LENGTH_BYTES = 8;
const DAMAGED = 'Download or copy the file again; if it stays so, the model has to be saved anew with safetensors.';

/** Reads and checks the header of the shard at `path`, known to the checkpoint as `name`. Throws `UserError`. */
export async function readShardHeader(path: string, name: string): Promise<ShardHeader> {
  return withFile(path, async (handle, bytes) => {
    const file = await realpath(path);
    const json = await readHeaderBytes(handle, bytes, name);
    const header = parseHeader(json, name);
    const dataStart = LENGTH_BYTES + json.length;
    const { __metadata__: metadata, ...infos } = header;
    const tensors = Object.entries(infos).map(([tensor, info]) => readTensor(tensor, info, { name, file, dataStart }));
    tensors.sort((a, b) => a.offset - b.offset || a.bytes - b.bytes);
    checkCoverage(tensors, dataStart, bytes, name);
    const shard = { name, file, bytes, metadata: readMetadata(metadata, name) };
    return { shard, tensors, digest: createHash('sha256').update(json).digest() };
  });
}

async function readHeaderBytes(handle: FileHandle, bytes: number, name: string): Promise<Buffer> {
  const start = await readRange(handle, 0, Math.min(bytes, FIRST_READ_BYTES));
  if (start.length < LENGTH_BYTES) {
    throw (
      disguise(start, name) ??
      damaged(name, 'header length', `the file has ${bytes} bytes, fewer than the 8 of its header length`)
    );
  }
  const length = start.readBigUInt64LE(0);
  if (length > BigInt(MAX_HEADER_BYTES)) {
    throw (
      disguise(start, name) ??
      damaged(
        name,
        'header length',
        `it says ${length} bytes, more than the ${MAX_HEADER_BYTES} that the format allows`,
      )
    );
  }
  const end = LENGTH_BYTES + Number(length);
  if (end > bytes) {
    throw (
      disguise(start, name) ??
      damaged(name, 'header length', `it says ${length} bytes, but the file ends after ${bytes}`)
    );
  }
  if (end <= start.length) return start.subarray(LENGTH_BYTES, end);
  return readRange(handle, LENGTH_BYTES, Number(length));
}

function parseHeader(json: Buffer, name: string): Record<string, unknown> {
  try {
    const header = parseBoundedJson(json, {
      depth: HEADER_DEPTH,
      keyLength: MAX_NAME_LENGTH,
      members: MAX_TENSORS,
      items: MAX_RANK,
      uniqueKeys: true,
    });
    if (isObject(header)) return header;
    throw new JsonProblem('it is not a JSON object');
  } catch (error) {
    if (error instanceof JsonProblem) throw damaged(name, 'header', error.message);
    throw error;
  }
}

function readMetadata(value: unknown, name: string): Record<string, string> {
  if (value === undefined || value === null) return {};
  if (!isObject(value)) throw damaged(name, '__metadata__', 'it is not an object of strings');
  for (const [key, text] of Object.entries(value)) {
    if (typeof text !== 'string') throw damaged(name, `__metadata__.${printable(key, 80)}`, 'it is not a string');
  }
  return value as Record<string, string>;
}

function readTensor(tensor: string, info: unknown, at: { name: string; file: string; dataStart: number }): TensorInfo {
  const field = (name: string): string => `tensor "${printable(tensor, 120)}", ${name}`;
  if (!isObject(info)) throw damaged(at.name, field('entry'), 'it is not an object');
  const dtype = info.dtype;
  if (typeof dtype !== 'string' || !Object.hasOwn(DTYPE_BITS, dtype)) {
    throw damaged(
      at.name,
      field('dtype'),
      dtype === undefined ? 'it is missing' : `${printable(JSON.stringify(dtype), 40)} is not a type of the format`,
    );
  }
  const shape = info.shape;
  if (!isCounts(shape)) {
    throw damaged(
      at.name,
      field('shape'),
      shape === undefined ? 'it is missing' : 'it is not a list of whole numbers below 2^53',
    );
  }
  const offsets = info.data_offsets;
  if (!isCounts(offsets) || offsets.length !== 2) {
    throw damaged(
      at.name,
      field('data_offsets'),
      offsets === undefined ? 'it is missing' : 'it is not a pair of whole numbers below 2^53',
    );
  }
  const [begin, end] = offsets;
  if (end < begin) throw damaged(at.name, field('data_offsets'), `it ends at ${end}, before its start at ${begin}`);
  const bytes = byteSize(shape, dtype as Dtype);
  if (bytes === undefined)
    throw damaged(at.name, field('shape'), `[${shape.join(', ')}] of ${dtype} is no size that a file can have`);
  if (bytes !== end - begin) {
    throw damaged(
      at.name,
      field('data_offsets'),
      `they span ${end - begin} bytes, but [${shape.join(', ')}] of ${dtype} takes ${bytes}`,
    );
  }
  return { name: tensor, dtype: dtype as Dtype, shape, file: at.file, offset: at.dataStart + begin, bytes };
}

function isCounts(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((n) => Number.isSafeInteger(n) && (n as number) >= 0);
}

/** Bytes of a tensor; undefined when the number leaves the exact integers or the bits do not fill bytes. */
function byteSize(shape: readonly number[], dtype: Dtype): number | undefined {
  let bits: number = DTYPE_BITS[dtype];
  for (const dimension of shape) {
    bits *= dimension;
    if (!Number.isSafeInteger(bits)) return undefined;
  }
  return bits % 8 === 0 ? bits / 8 : undefined;
}

/** Every byte after the header belongs to exactly one tensor. */
function checkCoverage(tensors: readonly TensorInfo[], dataStart: number, fileBytes: number, name: string): void {
  let position = dataStart;
  for (const tensor of tensors) {
    if (tensor.offset !== position) {
      const how =
        tensor.offset > position
          ? `${tensor.offset - position} bytes before it belong to no tensor`
          : 'its bytes overlap those of another tensor';
      throw damaged(name, `tensor "${printable(tensor.name, 120)}", data_offsets`, how);
    }
    position += tensor.bytes;
  }
  if (position > fileBytes) {
    const last = tensors[tensors.length - 1].name;
    throw damaged(
      name,
      `tensor "${printable(last, 120)}", data_offsets`,
      `the tensors end at byte ${position}, the file at ${fileBytes}`,
    );
  }
  if (position < fileBytes)
    throw damaged(name, 'file size', `${fileBytes - position} bytes after the last tensor belong to no tensor`);
}

function damaged(name: string, field: string, why: string): UserError {
  return new UserError(`${name}: ${field} is not valid`, why, DAMAGED);
}
