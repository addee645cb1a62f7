/**
 * How many examples training data have, and how long they are, before a tokenizer reads them: from their size and a look at
 * their beginning. Rough, cheap, and the same for estimates of the editor and of recipes.
 */
import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { extname } from 'node:path';
import { systemErrorCode } from '../engine/errors';
import { DEFAULTS } from '../engine/retrain/defaults';
import { BYTES_PER_TOKEN } from './amounts';

/** Rows of data, as a training with rows of some length would have them. */
export interface DataAmount {
  /** Rows, at least one. */
  readonly examples: number;
  /** Tokens of a mean row. */
  readonly length: number;
}

/** Only this much of a file is looked at; the rest is taken to be alike. */
const HEAD_BYTES = 2 ** 20;

/** What begins a record in a JSON file: each record has one of them. */
const RECORD = /"(?:instruction|messages|text)"\s*:/g;

interface Counted {
  readonly bytes: number;
  /** Undefined for a text, which is cut into rows. */
  readonly records?: number;
}

/** Files that were looked at, by path. An entry counts while size and time of change are the same. */
const seen = new Map<string, Counted & { readonly changed: number }>();
const MOST_SEEN = 100;

/**
 * @param files of texts or records
 * @param length most tokens of a row
 * @returns undefined where a file is missing or cannot be read
 */
export function dataAmount(files: readonly string[], length: number): DataAmount | undefined {
  let examples = 0;
  let tokens = 0;
  for (const file of files) {
    const counted = countedFile(file);
    if (counted === undefined) return undefined;
    const own = counted.bytes / BYTES_PER_TOKEN;
    const rows = counted.records ?? own / length;
    examples += rows;
    tokens += Math.min(own, rows * length); // longer records are cut
  }
  if (tokens <= 0) return undefined;
  const rows = Math.max(1, Math.round(examples));
  return { examples: rows, length: Math.max(1, Math.min(length, tokens / rows)) };
}

/** The same of text that the unpruned model writes. */
export function ownTextAmount(length: number, tokens: number = DEFAULTS.selfTokens): DataAmount {
  return { examples: Math.max(1, Math.round(tokens / length)), length };
}

function countedFile(file: string): Counted | undefined {
  try {
    const found = statSync(file);
    if (!found.isFile()) return undefined;
    const { size: bytes, mtimeMs: changed } = found;
    const known = seen.get(file);
    if (known?.bytes === bytes && known.changed === changed) return known;
    const records = recordsOf(file, bytes);
    const counted = { bytes, changed, ...(records !== undefined && { records }) };
    if (seen.size >= MOST_SEEN) seen.clear();
    seen.set(file, counted);
    return counted;
  } catch (error) {
    if (systemErrorCode(error) === undefined) throw error;
    return undefined;
  }
}

/** Records of a file of records; undefined for a text. */
function recordsOf(file: string, bytes: number): number | undefined {
  const extension = extname(file).toLowerCase();
  if (extension !== '.json' && extension !== '.jsonl' && extension !== '.ndjson') return undefined;
  const head = Buffer.alloc(Math.min(HEAD_BYTES, bytes));
  const descriptor = openSync(file, 'r');
  try {
    readSync(descriptor, head, 0, head.length, 0);
  } finally {
    closeSync(descriptor);
  }
  const text = head.toString('utf8');
  const found = extension === '.json' ? (text.match(RECORD)?.length ?? 0) : text.split('\n').filter(isFilled).length;
  return Math.max(1, (found * bytes) / Math.max(1, head.length));
}

const isFilled = (line: string): boolean => line.trim() !== '';
