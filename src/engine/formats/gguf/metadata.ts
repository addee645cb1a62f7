/**
 * The metadata of a GGUF header: keys with typed values. Keeps only the start of long lists and texts, such as a vocabulary,
 * except of those that the caller wants whole.
 */
import type { FixedType, GgufCursor } from './cursor';
import { VALUE_BYTES, VALUE_TYPES, type GgufValueType } from './types';
import {
  GGUF_ARRAY_DEPTH,
  GGUF_KEPT_ITEMS,
  GGUF_KEPT_TEXT,
  MAX_GGUF_HEADER_BYTES,
  MAX_GGUF_KEY,
  MAX_GGUF_WHOLE_LIST,
} from '../limits';
import { printable } from '../bounded-json';

/** An integer beyond the exact ones is a bigint. */
export type GgufScalar = number | bigint | boolean | string;

export interface GgufArray {
  readonly of: GgufValueType;
  readonly length: number;
  /** The first items, all of a list that is kept whole; empty for an array of arrays. */
  readonly first: readonly GgufScalar[];
}

export interface GgufEntry {
  readonly key: string;
  readonly type: GgufValueType;
  readonly value: GgufScalar | GgufArray;
  /** Length of a text in bytes. `value` may have only its beginning. */
  readonly bytes?: number;
  /** Position of the key in the file. */
  readonly offset: number;
  /** Position after the value. */
  readonly end: number;
}

/** Whether lists and texts under a key are kept whole. */
export type KeepWhole = (key: string) => boolean;

/** Reads one key with its value. Throws `DamagedFile`. */
export async function readEntry(cursor: GgufCursor, index: number, keepWhole: KeepWhole): Promise<GgufEntry> {
  cursor.enter(`key ${index} of the metadata`);
  const offset = cursor.position;
  const { text: key } = await cursor.string(MAX_GGUF_KEY);
  cursor.enter(`metadata "${printable(key, 80)}"`);
  const type = await readType(cursor);
  const kept = keepWhole(key) ? WHOLE : BEGINNING;
  const { value, bytes } = await readValue(cursor, type, kept);
  return { key, type, value, ...(bytes !== undefined && { bytes }), offset, end: cursor.position };
}

/** How much is kept of lists and texts. */
interface Kept {
  readonly items: number;
  /** Items of a list that is not refused. */
  readonly most: number;
  /** Bytes of a text. */
  readonly text: number;
  /** Bytes of a text in a list. */
  readonly item: number;
}

const BEGINNING: Kept = { items: GGUF_KEPT_ITEMS, most: Infinity, text: GGUF_KEPT_TEXT, item: 256 };
/** The size of the header bounds all of it. */
const WHOLE: Kept = {
  items: Infinity,
  most: MAX_GGUF_WHOLE_LIST,
  text: MAX_GGUF_HEADER_BYTES,
  item: MAX_GGUF_HEADER_BYTES,
};

async function readValue(
  cursor: GgufCursor,
  type: GgufValueType,
  kept: Kept,
): Promise<Pick<GgufEntry, 'value' | 'bytes'>> {
  if (type === 'array') return { value: await readArray(cursor, kept, 1) };
  if (type !== 'string') return { value: await readFixed(cursor, type) };
  const { text, bytes } = await cursor.string(kept.text, true);
  return { value: text, bytes };
}

async function readType(cursor: GgufCursor): Promise<GgufValueType> {
  const number = await cursor.u32();
  const type = VALUE_TYPES.at(number);
  if (type === undefined) throw cursor.damaged(`its type is ${number}, not one of the ${VALUE_TYPES.length} known`);
  return type;
}

async function readFixed(cursor: GgufCursor, type: FixedType): Promise<GgufScalar> {
  await cursor.need(VALUE_BYTES[type]);
  return cursor.take(type);
}

async function readArray(cursor: GgufCursor, kept: Kept, depth: number): Promise<GgufArray> {
  if (depth > GGUF_ARRAY_DEPTH) throw cursor.damaged(`arrays are nested more than ${GGUF_ARRAY_DEPTH} deep in it`);
  const of = await readType(cursor);
  const length = await cursor.count(MAX_GGUF_HEADER_BYTES, 'the number of items');
  cursor.require(length * VALUE_BYTES[of]);
  if (length > kept.most) throw cursor.damaged(`it has ${length} items, more than ${kept.most}`);
  if (of === 'array') {
    for (let i = 0; i < length; i++) await readArray(cursor, kept, depth + 1);
    return { of, length, first: [] };
  }
  if (of === 'string') return { of, length, first: await readStrings(cursor, length, kept) };
  const first: GgufScalar[] = [];
  for (let i = 0; i < Math.min(length, kept.items); i++) {
    if (!cursor.has(VALUE_BYTES[of])) await cursor.need(VALUE_BYTES[of]);
    first.push(cursor.take(of));
  }
  await cursor.skip((length - first.length) * VALUE_BYTES[of]);
  return { of, length, first };
}

/** The first texts, or the beginnings of them. Skips the others. */
async function readStrings(cursor: GgufCursor, length: number, kept: Kept): Promise<string[]> {
  const first: string[] = [];
  for (let i = 0; i < Math.min(length, kept.items); i++) first.push((await cursor.string(kept.item, true)).text);
  for (let i = first.length; i < length; i++) {
    if (!cursor.has(8)) await cursor.need(8);
    const bytes = cursor.take('u64');
    if (typeof bytes !== 'number') throw cursor.damaged(`item ${i} declares ${bytes.toString()} bytes`);
    if (cursor.has(bytes)) cursor.position += bytes;
    else await cursor.skip(bytes);
  }
  return first;
}
