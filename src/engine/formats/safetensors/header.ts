/**
 * The header of a safetensors file, checked by the reference reader's rules: every tensor has a known type, its shape
 * fits its byte range, and the ranges fill the rest of the file without gap or overlap.
 */
import { counted } from '../../../format/words';
import { isObject } from '../../../format/json';
import { DamagedFile, refuse, type Report, truncated } from '../damage';
import { JsonProblem, parseBoundedJson, printable } from '../bounded-json';
import { DTYPE_BITS, type Dtype } from '../dtype';
import { HEADER_DEPTH, MAX_NAME_LENGTH, MAX_RANK, MAX_TENSORS } from '../limits';
import type { StoredTensor } from '../stored-tensor';

/** Bytes before the header: its length. */
export const LENGTH_BYTES = 8;

/** The only entry that is not a tensor: notes of the program that wrote the file. */
const METADATA = '__metadata__';

/** The file that the header belongs to. */
export interface HeaderOf {
  /** Its name in messages. */
  readonly name: string;
  /** Absolute path. */
  readonly file: string;
  /** Size of the whole file. */
  readonly bytes: number;
}

export interface Header {
  readonly metadata: Readonly<Record<string, string>>;
  /** In the order of their bytes. */
  readonly tensors: readonly StoredTensor[];
}

/**
 * Parses and checks the header's JSON. Throws `DamagedFile`. If `report` returns, it receives every problem, and the
 * result has the valid entries.
 */
export function parseHeader(json: Uint8Array, of: HeaderOf, report: Report = refuse): Header {
  const header = parseObject(json, of.name);
  const dataStart = LENGTH_BYTES + json.length;
  const tensors: StoredTensor[] = [];
  let whole = true;
  for (const [name, info] of Object.entries(header)) {
    if (name === METADATA) continue;
    const tensor = readTensor(name, info, of, dataStart);
    if (tensor instanceof DamagedFile) {
      report(placed(tensor, name, json));
      whole = false;
    } else tensors.push(tensor);
  }
  // Tensors without elements have the same position as the next tensor.
  tensors.sort((a, b) => a.offset - b.offset || a.bytes - b.bytes);
  // The range of a refused entry is unknown and would look like a gap.
  if (whole)
    checkCoverage(tensors, of, dataStart, (problem, name) =>
      report(name === undefined ? problem : placed(problem, name, json)),
    );
  return { metadata: readMetadata(header[METADATA], of.name, report), tensors };
}

/** Adds the position of its entry to a problem. Only a damaged file needs the search. */
function placed(problem: DamagedFile, name: string, json: Uint8Array): DamagedFile {
  const at = Buffer.from(json.buffer, json.byteOffset, json.length).indexOf(JSON.stringify(name));
  const { file, field, why, action } = problem;
  return at < 0 ? problem : new DamagedFile(file, field, why, action, LENGTH_BYTES + at);
}

/** The error for bytes in the file without a tensor. @param where "after the last tensor" */
export const unowned = (bytes: number, where: string): string =>
  `${counted(bytes, 'byte')} ${where} ${bytes === 1 ? 'belongs' : 'belong'} to no tensor`;

/** The error for a header that violates the format in `field`. */
export function damaged(name: string, field: string, why: string, offset?: number): DamagedFile {
  return new DamagedFile(
    name,
    field,
    why,
    'Download or copy the file again. If the problem persists, export the model again.',
    offset,
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

function readMetadata(value: unknown, name: string, report: Report): Record<string, string> {
  if (value === undefined || value === null) return {};
  if (!isObject(value)) {
    report(damaged(name, METADATA, 'it is not an object of strings'));
    return {};
  }
  const texts = Object.entries(value).filter((entry): entry is [string, string] => {
    if (typeof entry[1] === 'string') return true;
    report(damaged(name, `${METADATA}.${printable(entry[0], 80)}`, 'it is not a string'));
    return false;
  });
  return Object.fromEntries(texts);
}

/** The tensor of an entry, or the problem of the entry. */
function readTensor(name: string, info: unknown, of: HeaderOf, dataStart: number): StoredTensor | DamagedFile {
  const bad = (field: string, why: string): DamagedFile => {
    return damaged(of.name, `tensor "${printable(name, 120)}", ${field}`, why);
  };
  if (!isObject(info)) return bad('entry', 'it is not an object');
  const { dtype, shape, data_offsets: offsets } = info;
  if (!isDtype(dtype)) return bad('dtype', dtype === undefined ? 'it is missing' : `${show(dtype)} is not a type`);
  if (!isCounts(shape)) return bad('shape', shape === undefined ? 'it is missing' : `${show(shape)} ${NO_COUNTS}`);
  if (!isCounts(offsets)) {
    return bad('data_offsets', offsets === undefined ? 'they are missing' : `${show(offsets)} ${NO_COUNTS}`);
  }
  if (offsets.length !== 2) return bad('data_offsets', `${show(offsets)} is not a pair of start and end`);
  const [begin, end] = offsets;
  if (end < begin) return bad('data_offsets', `they end at ${end}, before their start at ${begin}`);
  const bytes = byteSize(shape, dtype);
  if (bytes === undefined) return bad('shape', `${show(shape)} of ${dtype} is too large for a file`);
  if (bytes !== end - begin) {
    return bad(
      'data_offsets',
      `they span ${counted(end - begin, 'byte')}, but ${show(shape)} of ${dtype} takes ${bytes}`,
    );
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

/** Bytes of a tensor; undefined if the number exceeds the exact integers or the bits do not fill whole bytes. */
function byteSize(shape: readonly number[], dtype: Dtype): number | undefined {
  let bits: number = DTYPE_BITS[dtype];
  for (const dimension of shape) {
    bits *= dimension;
    if (!Number.isSafeInteger(bits)) return undefined;
  }
  return bits % 8 === 0 ? bits / 8 : undefined;
}

/** Every byte after the header belongs to exactly one tensor. */
function checkCoverage(
  tensors: readonly StoredTensor[],
  of: HeaderOf,
  dataStart: number,
  report: (problem: DamagedFile, name?: string) => void,
): void {
  let position = dataStart;
  for (const { name, offset, bytes } of tensors) {
    const bad = (why: string): void => {
      report(damaged(of.name, `tensor "${printable(name, 120)}", data_offsets`, why), name);
    };
    const end = offset + bytes;
    if (offset > position) bad(unowned(offset - position, 'before it'));
    if (offset < position) bad('its bytes overlap those of another tensor');
    if (end > of.bytes) bad(truncated(name, end, of.bytes));
    position = Math.max(position, end);
  }
  if (position < of.bytes) {
    const why = unowned(of.bytes - position, 'after the last tensor');
    report(damaged(of.name, 'file size', why, position));
  }
}
