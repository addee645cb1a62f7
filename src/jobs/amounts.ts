/** Amounts of text that jobs read, from sizes of files. */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { CHOOSING_PART } from '../format/text-share';
import { systemErrorCode } from '../engine/errors';
import { TASK_NAMES } from '../engine/evaluate/tasks/catalogue';
import { DEFAULT_DRAWING } from '../engine/importance/drawing';
import type { RowShape } from '../engine/importance/estimate';
import type { JsonObject } from '../format/json';

/** Approximate bytes of English text per token. */
export const BYTES_PER_TOKEN = 4;
/** The same of a JSON file of ids. */
const BYTES_PER_ID = 6;
/** Questions of each task that the editor proposes to answer. */
export const USUAL_QUESTIONS = 100;

export const numberIn = (options: JsonObject, name: string): number | undefined => {
  const value = options[name];
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
};

/** Bytes of a file, or of the files in a folder; undefined when there is none. */
export async function bytesAt(path: unknown): Promise<number | undefined> {
  if (typeof path !== 'string') return undefined;
  try {
    const found = await stat(path);
    if (!found.isDirectory()) return found.size;
    const names = await readdir(path, { withFileTypes: true });
    const files = names.filter((entry) => entry.isFile()).slice(0, MOST_FILES);
    const sizes = await Promise.all(files.map(async ({ name }) => (await stat(join(path, name))).size));
    return sizes.reduce((sum, size) => sum + size, 0);
  } catch (error) {
    if (systemErrorCode(error) === undefined) throw error;
    return undefined;
  }
}

const MOST_FILES = 2000;

/** Tokens of the files of a list; undefined when one of them is missing. */
export async function tokensOf(files: unknown): Promise<number | undefined> {
  const list: readonly unknown[] = Array.isArray(files) ? files : [files];
  const sizes = await Promise.all(list.map(bytesAt));
  let sum = 0;
  for (const size of sizes) {
    if (size === undefined) return undefined;
    sum += size / BYTES_PER_TOKEN;
  }
  return sum;
}

/** The rows that a job draws from its calibration file. Those of a file of rows are all taken. */
export async function calibrationRows(options: JsonObject, context: number): Promise<RowShape> {
  const { calibration } = options;
  const length = Math.min(numberIn(options, 'length') ?? DEFAULT_DRAWING.length, context);
  const samples = numberIn(options, 'samples');
  if (samples !== undefined || typeof calibration !== 'string' || !/\.json$/i.test(calibration)) {
    return { rows: samples ?? DEFAULT_DRAWING.samples, length };
  }
  const tokens = (partOf(options.share) * ((await bytesAt(calibration)) ?? 0)) / BYTES_PER_ID;
  return { rows: Math.max(1, Math.round(tokens / length)), length };
}

/** The windows of a text; undefined when it is not there and no limit says how many. */
export async function windowsOf(
  text: unknown,
  { window, limit, share }: { readonly window: number; readonly limit?: number; readonly share?: unknown },
): Promise<RowShape | undefined> {
  const bytes = await bytesAt(text);
  if (bytes === undefined) return limit === undefined ? undefined : { rows: limit, length: window };
  const all = Math.max(1, Math.floor((partOf(share) * bytes) / BYTES_PER_TOKEN / window));
  return { rows: Math.min(all, limit ?? Infinity), length: window };
}

/** How much of a text its share is. */
const partOf = (share: unknown): number =>
  share === 'choose' ? CHOOSING_PART : share === 'judge' ? 1 - CHOOSING_PART : 1;

/** Texts that are given, else calibration rows: what a job measures on. */
export async function measuredRows(options: JsonObject, context: number): Promise<RowShape | undefined> {
  if (options.text === undefined) return calibrationRows(options, context);
  const window = Math.min(numberIn(options, 'window') ?? context, context);
  return windowsOf(options.text, { window, limit: numberIn(options, 'limit') });
}

/** Tokens of a question with all its answers: rough, and the same for all tasks. */
export const TOKENS_PER_ITEM = 240;
/** Of a task's file. A line has the question and what the file says about it. */
const BYTES_PER_ITEM = 400;

/** Tokens of all questions of a job's tasks; undefined when a file is missing. */
export async function questionTokens({ data, tasks: named, own, limit }: JsonObject): Promise<number | undefined> {
  const most = typeof limit === 'number' ? limit : Infinity;
  const ownTokens = own === undefined ? 0 : await tokensOf(own);
  if (ownTokens === undefined) return undefined;
  if (data === undefined) return ownTokens;
  const count = Array.isArray(named) ? named.length : TASK_NAMES.length;
  const bytes = await bytesAt(data);
  if (bytes === undefined) return undefined;
  const there = (bytes / BYTES_PER_ITEM) * (count / TASK_NAMES.length);
  return ownTokens + TOKENS_PER_ITEM * Math.min(there, most * count);
}
