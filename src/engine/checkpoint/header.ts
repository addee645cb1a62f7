/**
 * The header of a safetensors file, held to the reference reader's rules: every tensor has a known type, its shape fits
 * its byte range, and the ranges fill the rest of the file without gap or overlap.
 */
import { UserError } from '../errors';
import { isObject, JsonProblem, parseBoundedJson, printable } from './bounded-json';
import { DTYPE_BITS, type Dtype } from './dtype';
import { HEADER_DEPTH, MAX_NAME_LENGTH, MAX_RANK, MAX_TENSORS } from './limits';
import type { TensorInfo } from './types';

/** Bytes before the header: its length. */
export const LENGTH_BYTES = 8;

/** The one name that is no tensor: notes of whoever wrote the file. */
const METADATA = '__metadata__';

/** The file that the header belongs to. */
export interface HeaderOf {
  /** As messages call it. */
  readonly name: string;
  /** Absolute path. */
  readonly file: string;
  /** Size of the whole file. */
  readonly bytes: number;
}

export interface Header {
  readonly metadata: Readonly<Record<string, string>>;
  /** In the order of their bytes. */
  readonly tensors: readonly TensorInfo[];
}

/** Parses and checks the header's JSON. Throws `UserError` naming file and field. */
export function parseHeader(json: Uint8Array, of: HeaderOf): Header {
  const header = parseObject(json, of.name);
  const dataStart = LENGTH_BYTES + json.length;
  const tensors: TensorInfo[] = [];
  for (const [name, info] of Object.entries(header)) {
    if (name !== METADATA) tensors.push(readTensor(name, info, of, dataStart));
  }
  // Tensors without elements share their position with the one after them.
  tensors.sort((a, b) => a.offset - b.offset || a.bytes - b.bytes);
  checkCoverage(tensors, of, dataStart);
  return { metadata: readMetadata(header[METADATA], of.name), tensors };
}

/** The error for a file whose header, in `field`, is not what the format asks for. */
export function damaged(name: string, field: string, why: string): UserError {
  return new UserError(
    `${name}: ${field} is not valid`,
    why,
    'Download or copy the file again; if it stays so, the model has to be saved anew with safetensors.',
  );
}

function parseObject(json: Uint8Array, name: string): Record<string, unknown> {
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
  if (!isObject(value)) throw damaged(name, METADATA, 'it is not an object of strings');
  for (const [key, text] of Object.entries(value)) {
    if (typeof text !== 'string') throw damaged(name, `${METADATA}.${printable(key, 80)}`, 'it is not a string');
  }
  return value as Record<string, string>;
}

function readTensor(name: string, info: unknown, of: HeaderOf, dataStart: number): TensorInfo {
  const bad = (field: string, why: string): UserError => {
    return damaged(of.name, `tensor "${printable(name, 120)}", ${field}`, why);
  };
  if (!isObject(info)) throw bad('entry', 'it is not an object');
  const { dtype, shape, data_offsets: offsets } = info;
  if (!isDtype(dtype)) throw bad('dtype', dtype === undefined ? 'it is missing' : `${show(dtype)} is not a type`);
  if (!isCounts(shape)) throw bad('shape', shape === undefined ? 'it is missing' : `${show(shape)} ${NO_COUNTS}`);
  if (!isCounts(offsets)) {
    throw bad('data_offsets', offsets === undefined ? 'they are missing' : `${show(offsets)} ${NO_COUNTS}`);
  }
  if (offsets.length !== 2) throw bad('data_offsets', `${show(offsets)} is not a pair of start and end`);
  const [begin, end] = offsets;
  if (end < begin) throw bad('data_offsets', `they end at ${end}, before their start at ${begin}`);
  const bytes = byteSize(shape, dtype);
  if (bytes === undefined) throw bad('shape', `${show(shape)} of ${dtype} is no size that a file can have`);
  if (bytes !== end - begin) {
    throw bad('data_offsets', `they span ${end - begin} bytes, but ${show(shape)} of ${dtype} takes ${bytes}`);
  }
  return { name, dtype, shape, file: of.file, offset: dataStart + begin, bytes };
}

const NO_COUNTS = 'is not a list of whole numbers from 0 to 2^53 − 1';

function show(value: unknown): string {
  return printable(JSON.stringify(value), 60);
}

function isDtype(value: unknown): value is Dtype {
  return typeof value === 'string' && Object.hasOwn(DTYPE_BITS, value);
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
function checkCoverage(tensors: readonly TensorInfo[], of: HeaderOf, dataStart: number): void {
  let position = dataStart;
  for (const { name, offset, bytes } of tensors) {
    const bad = (why: string): UserError => {
      return damaged(of.name, `tensor "${printable(name, 120)}", data_offsets`, why);
    };
    if (offset > position) throw bad(`${offset - position} bytes before it belong to no tensor`);
    if (offset < position) throw bad('its bytes overlap those of another tensor');
    position += bytes;
    if (position > of.bytes) throw bad(`its bytes end at ${position} of the file, which ends at ${of.bytes}`);
  }
  if (position < of.bytes) {
    throw damaged(of.name, 'file size', `${of.bytes - position} bytes after the last tensor belong to no tensor`);
  }
}
