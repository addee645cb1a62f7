/**
 * The tensor list of a GGUF header, checked by the rules of the reference reader (ggml): types, whole blocks, order,
 * alignment.
 */
import { counted } from '../../../format/words';
import { printable } from '../bounded-json';
import { type Report, truncated } from '../damage';
import type { StoredDtype } from '../dtype';
import type { GgufCursor } from './cursor';
import { TENSOR_TYPES } from './types';
import { MAX_GGUF_TENSOR_NAME } from '../limits';

export interface GgufTensor {
  readonly name: string;
  /** A ggml type: "F16", "Q4_K", … */
  readonly dtype: StoredDtype;
  /** Rows first, as everywhere in Coppice. The file has the reverse order. */
  readonly shape: readonly number[];
  /** Position of the first byte in the file. */
  readonly offset: number;
  readonly bytes: number;
}

/** ggml's own limit. */
const MAX_DIMS = 4;

/** A list entry. Its position is relative to the end of the header, which is not known yet. */
export interface ListedTensor extends GgufTensor {
  /** Position of its entry in the header. */
  readonly entry: number;
}

/** Reads one entry of the list. Throws `DamagedFile`. */
export async function readListedTensor(cursor: GgufCursor, index: number): Promise<ListedTensor> {
  const entry = cursor.position;
  cursor.enter(`name of tensor ${index}`);
  const { text: name } = await cursor.string(MAX_GGUF_TENSOR_NAME);
  const label = `tensor "${printable(name, 120)}"`;
  cursor.enter(`${label}, number of dimensions`);
  const rank = await cursor.u32();
  if (rank > MAX_DIMS) throw cursor.damaged(`it has ${rank} dimensions, more than ${MAX_DIMS}`);
  const dims: number[] = [];
  for (let d = 0; d < rank; d++) {
    cursor.enter(`${label}, dimension ${d}`);
    dims.push(await cursor.count(Number.MAX_SAFE_INTEGER, 'it'));
  }
  cursor.enter(`${label}, type`);
  const number = await cursor.u32();
  const type = TENSOR_TYPES.get(number);
  if (!type) throw cursor.damaged(`${number} is not a known type`);
  cursor.enter(`${label}, offset`);
  const offset = await cursor.count(Number.MAX_SAFE_INTEGER, 'it');
  const row = dims.at(0) ?? 1;
  if (row % type.blockElements !== 0) {
    throw cursor.damaged(
      `rows of ${counted(row, 'element')} are not a multiple of the ${type.blockElements} that ${type.name} stores together`,
      `${label}, dimension 0`,
      entry,
    );
  }
  let bytes = (row / type.blockElements) * type.blockBytes;
  for (const dimension of dims.slice(1)) bytes *= dimension;
  if (!Number.isSafeInteger(bytes)) {
    throw cursor.damaged(`[${dims.join(', ')}] of ${type.name} is too large for a file`, `${label}, shape`, entry);
  }
  return { name, dtype: type.name, shape: dims.reverse(), offset, bytes, entry };
}

/**
 * Checks that the tensors follow each other in the order of the list, each at the next multiple of `alignment`, inside
 * the file.
 */
export function checkPlaces(
  listed: readonly ListedTensor[],
  cursor: GgufCursor,
  dataStart: number,
  alignment: number,
  report: Report,
): void {
  const names = new Set<string>();
  let next = 0;
  for (const { name, offset, bytes, entry } of listed) {
    const bad = (field: string, why: string): void => {
      report(cursor.damaged(why, `tensor "${printable(name, 120)}", ${field}`, entry));
    };
    if (names.has(name)) bad('name', 'another tensor has the same name');
    names.add(name);
    if (offset % alignment !== 0) bad('offset', `${offset} is not a multiple of the alignment, ${alignment}`);
    else if (offset !== next) bad('offset', `it is ${offset}, but the tensors before it end at ${next}`);
    const end = dataStart + offset + bytes;
    if (end > cursor.bytes) bad('offset', truncated(name, end, cursor.bytes));
    next = align(offset + bytes, alignment);
  }
}

export function align(position: number, alignment: number): number {
  return Math.ceil(position / alignment) * alignment;
}
