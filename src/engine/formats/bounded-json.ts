/**
 * Parses JSON from untrusted files. One pass over the text checks depth, counts and duplicate keys before `JSON.parse`
 * allocates anything. `JSON.parse` checks the syntax.
 */
import { NUMBER_NAMES } from '../../format/json';

export interface JsonLimits {
  readonly depth: number;
  readonly keyLength: number;
  /** Members of one object. */
  readonly members: number;
  /** Items of one list. */
  readonly items: number;
  /** Refuse an object with a duplicate key, because readers differ in which value they use. */
  readonly uniqueKeys: boolean;
  /** Accept the bare words Infinity and -Infinity, which Python writes and reads. */
  readonly infinity?: true;
}

/** Why a text was refused; the caller adds the file and what to do. */
export class JsonProblem extends Error {}

const BYTE_ORDER_MARK = '\ufeff';
const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_LIST = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_LIST = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

/**
 * Parses `bytes` as UTF-8 JSON within `limits`. JSON does not allow a byte order mark (RFC 8259), and other readers of
 * these files refuse it too. Throws `JsonProblem`.
 */
export function parseBoundedJson(bytes: Uint8Array, limits: JsonLimits): unknown {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new JsonProblem('it is not UTF-8 text');
  }
  if (text.startsWith(BYTE_ORDER_MARK))
    throw new JsonProblem('it begins with a byte order mark, which JSON does not allow');
  checkLimits(text, limits);
  try {
    return JSON.parse(limits.infinity ? withoutInfinity(text) : text) as unknown;
  } catch (error) {
    throw new JsonProblem(`it is not valid JSON (${printable(error instanceof Error ? error.message : '', 120)})`);
  }
}

const [INFINITY] = NUMBER_NAMES;
/** What JSON reads as infinity. */
const TOO_LARGE = '1e999';

/** The text with a number that JSON reads as infinity where the bare word stands as a value. */
export function withoutInfinity(text: string): string {
  let [spelled, from] = ['', 0];
  for (let i = 0; i < text.length; i++) {
    if (text.charCodeAt(i) === QUOTE) {
      const end = closingQuote(text, i);
      if (end < 0) break;
      i = end;
    } else if (text.startsWith(INFINITY, i)) {
      const end = i + INFINITY.length;
      const isWord = !/[\w.+]/.test(text.charAt(i - 1)) && !/[\w.+-]/.test(text.charAt(end));
      if (isWord) spelled += text.slice(from, i) + TOO_LARGE;
      if (isWord) from = end;
      i = end - 1;
    }
  }
  return spelled + text.slice(from);
}

function checkLimits(text: string, limits: JsonLimits): void {
  const keysAt: Set<string>[] = []; // keys of the open object at each depth
  const entriesAt: number[] = [];
  const isListAt: boolean[] = [];
  let depth = 0;
  for (let i = 0; i < text.length; i++) {
    const char = text.charCodeAt(i);
    if (char === QUOTE) {
      const end = closingQuote(text, i);
      if (end < 0) return;
      if (text.charCodeAt(skipSpace(text, end + 1)) === COLON) checkKey(text.slice(i, end + 1), keysAt[depth], limits);
      i = end;
    } else if (char === OPEN_OBJECT || char === OPEN_LIST) {
      if (++depth > limits.depth) throw new JsonProblem(`it is nested more than ${limits.depth} deep`);
      isListAt[depth] = char === OPEN_LIST;
      entriesAt[depth] = 1;
      if (keysAt[depth]) keysAt[depth].clear();
      else keysAt[depth] = new Set();
    } else if (char === CLOSE_OBJECT || char === CLOSE_LIST) {
      if (--depth < 0) return;
    } else if (char === COMMA) {
      const most = isListAt[depth] ? limits.items : limits.members;
      if (++entriesAt[depth] > most) {
        throw new JsonProblem(`${isListAt[depth] ? 'a list' : 'an object'} in it has more than ${most} entries`);
      }
    }
  }
}

function checkKey(quoted: string, seen: Set<string> | undefined, limits: JsonLimits): void {
  if (quoted.length - 2 > limits.keyLength) {
    throw new JsonProblem(`the name ${printable(quoted, 60)} is longer than ${limits.keyLength} characters`);
  }
  if (!limits.uniqueKeys || !seen) return;
  const key = unescape(quoted);
  if (seen.has(key)) throw new JsonProblem(`the name ${printable(quoted, 200)} occurs twice`);
  seen.add(key);
}

/** "\u0061" and "a" are the same key. */
function unescape(quoted: string): string {
  if (!quoted.includes('\\')) return quoted.slice(1, -1);
  try {
    return JSON.parse(quoted) as string;
  } catch {
    return quoted; // JSON.parse will refuse the whole text
  }
}

/** Position of the quote that closes the string opened at `start`, or −1. */
function closingQuote(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end >= 0; end = text.indexOf('"', end + 1)) {
    let backslashes = 0;
    while (text.charCodeAt(end - 1 - backslashes) === BACKSLASH) backslashes++;
    if (backslashes % 2 === 0) return end;
  }
  return -1;
}

function skipSpace(text: string, from: number): number {
  let i = from;
  while (i < text.length && text.charCodeAt(i) <= 0x20) i++;
  return i;
}

/** `text` fit for a message: control characters escaped, at most `length` characters. */
export function printable(text: string, length: number): string {
  const cut = text.length > length ? `${text.slice(0, length)}…` : text;
  // eslint-disable-next-line no-control-regex
  return cut.replace(/[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g, (c) => {
    return `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}
