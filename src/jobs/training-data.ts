/**
 * How many examples training data have, and how long they are, before a tokenizer reads them: from their size and a look at
 * their beginning. Rough, cheap, and the same for estimates of the editor and of recipes.
 */
import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { extname } from 'node:path';
import { systemErrorCode } from '../engine/errors';
import { DEFAULTS } from '../engine/retrain/defaults';
import { SPLIT_PARTS } from '../format/text-share';
import { BYTES_PER_TOKEN, textBytes } from './amounts';

/** Rows of data, as a training with rows of some length would have them. */
export interface DataAmount {
  /** Rows, at least one. */
  readonly examples: number;
  /** Tokens of a mean row. */
  readonly length: number;
  /** The rows were counted. Those of a text follow from its size, and the tokenizer may cut it into more or fewer. */
  readonly exact: boolean;
  /** A file gives the batches, so its rows are not known before it is read. */
  readonly given?: true;
}

/** Only this much of a file is looked at; the rest is taken to be alike. */
const HEAD_BYTES = 2 ** 20;

/** What begins a record in a JSON file: each record has one of them. */
const RECORD = /"(instruction|messages|text)"\s*:/g;
const BATCHES = /^\s*\{\s*"batches"\s*:/;

interface Counted {
  readonly bytes: number;
  /** Undefined for a text and for documents, which are joined: both are cut into rows. */
  readonly records?: number;
  /** All records were seen. */
  readonly exact: boolean;
  readonly given: boolean;
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
  let [exact, given] = [true, false];
  for (const file of files) {
    const counted = countedFile(file);
    if (counted === undefined) return undefined;
    const own = counted.bytes / BYTES_PER_TOKEN;
    const rows = counted.records ?? own / length;
    examples += rows;
    tokens += Math.min(own, rows * length); // longer records are cut
    exact &&= counted.exact;
    given ||= counted.given;
  }
  if (tokens <= 0) return undefined;
  const rows = Math.max(1, Math.round(examples));
  return { examples: rows, length: Math.max(1, Math.min(length, tokens / rows)), exact, ...(given && { given }) };
}

/** The same of text that the unpruned model writes. */
export function ownTextAmount(length: number, tokens: number = DEFAULTS.selfTokens): DataAmount {
  return { examples: Math.max(1, Math.round(tokens / length)), length, exact: true };
}

function countedFile(file: string): Counted | undefined {
  try {
    const found = statSync(file);
    if (found.isDirectory()) return ofApplication(file);
    if (!found.isFile()) return undefined;
    const { size: bytes, mtimeMs: changed } = found;
    const known = seen.get(file);
    if (known?.bytes === bytes && known.changed === changed) return known;
    const counted = { bytes, changed, ...recordsOf(file, bytes) };
    if (seen.size >= MOST_SEEN) seen.clear();
    seen.set(file, counted);
    return counted;
  } catch (error) {
    if (systemErrorCode(error) === undefined) throw error;
    return undefined;
  }
}

/** A folder has an application's text, of which the rows for training are read. */
const ofApplication = (folder: string): Counted => ({
  bytes: SPLIT_PARTS.training * (textBytes(folder) ?? 0),
  exact: false,
  given: false,
});

/** Records of a file of records. */
function recordsOf(file: string, bytes: number): Omit<Counted, 'bytes'> {
  const extension = extname(file).toLowerCase();
  if (extension !== '.json' && extension !== '.jsonl' && extension !== '.ndjson') {
    return { exact: false, given: false };
  }
  const head = Buffer.alloc(Math.min(HEAD_BYTES, bytes));
  const descriptor = openSync(file, 'r');
  try {
    readSync(descriptor, head, 0, head.length, 0);
  } finally {
    closeSync(descriptor);
  }
  const text = head.toString('utf8');
  if (text.matchAll(RECORD).next().value?.[1] === 'text') return { exact: false, given: false };
  const found = extension === '.json' ? (text.match(RECORD)?.length ?? 0) : text.split('\n').filter(isFilled).length;
  const records = Math.max(1, (found * bytes) / Math.max(1, head.length));
  return { records, exact: head.length === bytes, given: BATCHES.test(text) };
}

const isFilled = (line: string): boolean => line.trim() !== '';
