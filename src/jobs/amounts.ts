/** Amounts of text that jobs read, from sizes of files. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { partOfShare, readShare, splitIn } from '../format/text-share';
import { systemErrorCode } from '../engine/errors';
import { type ProbeName, probesNamed, QUESTIONS, WRITTEN_PROBES } from '../format/probes';
import { TASK_NAMES } from '../engine/evaluate/tasks/catalogue';
import { DEFAULT_DRAWING, DEFAULT_WINDOW } from '../engine/importance/drawing';
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
export function bytesAt(path: unknown): number | undefined {
  if (typeof path !== 'string') return undefined;
  try {
    const found = statSync(path);
    if (!found.isDirectory()) return found.size;
    const names = readdirSync(path, { withFileTypes: true });
    const files = names.filter((entry) => entry.isFile()).slice(0, MOST_FILES);
    return files.reduce((sum, { name }) => sum + statSync(join(path, name)).size, 0);
  } catch (error) {
    if (systemErrorCode(error) === undefined) throw error;
    return undefined;
  }
}

const MOST_FILES = 2000;

/** Bytes of a text: of a file, or of all files in a folder and the folders in it, as an application's text may lie. */
export function textBytes(path: unknown): number | undefined {
  const own = bytesAt(path);
  if (own === undefined || typeof path !== 'string' || !statSync(path).isDirectory()) return own;
  let [sum, left] = [own, MOST_FILES];
  const folders = [path];
  for (let folder = folders.pop(); folder !== undefined && left > 0; folder = folders.pop()) {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      if (!entry.isDirectory() || entry.name.startsWith('.') || entry.name === 'node_modules') continue;
      const inside = join(folder, entry.name);
      sum += bytesAt(inside) ?? 0;
      left--;
      folders.push(inside);
    }
  }
  return sum;
}

/** Tokens of the files of a list; undefined when one of them is missing. */
export function tokensOf(files: unknown): number | undefined {
  const list: readonly unknown[] = Array.isArray(files) ? files : [files];
  let sum = 0;
  for (const size of list.map(textBytes)) {
    if (size === undefined) return undefined;
    sum += size / BYTES_PER_TOKEN;
  }
  return sum;
}

/** The rows that a job draws from its calibration file. Those of a file of rows are all taken. */
export function calibrationRows(options: JsonObject, context: number): RowShape {
  const { calibration } = options;
  const length = Math.min(numberIn(options, 'length') ?? DEFAULT_DRAWING.length, context);
  const samples = numberIn(options, 'samples');
  const isRows = typeof calibration === 'string' && /\.json$/i.test(calibration);
  if (samples !== undefined || !isRows || splitIn(readShare(options.share)) !== undefined) {
    return { rows: samples ?? DEFAULT_DRAWING.samples, length };
  }
  const tokens = (partOf(options.share) * (bytesAt(calibration) ?? 0)) / BYTES_PER_ID;
  return { rows: Math.max(1, Math.round(tokens / length)), length };
}

/** The windows of a text; undefined when it is not there and no limit says how many. */
function windowsOf(
  text: unknown,
  { window, limit, share }: { readonly window: number; readonly limit?: number; readonly share?: unknown },
): RowShape | undefined {
  const bytes = textBytes(text);
  if (bytes === undefined) return limit === undefined ? undefined : { rows: limit, length: window };
  const all = Math.max(1, Math.floor((partOf(share) * bytes) / BYTES_PER_TOKEN / window));
  return { rows: Math.min(all, limit ?? Infinity), length: window };
}

/** How much of a text its share is. */
const partOf = (share: unknown): number => partOfShare(readShare(share));

/** Texts that are given, else calibration rows: what a job measures on. */
export function measuredRows(options: JsonObject, context: number): RowShape | undefined {
  if (options.text === undefined) return calibrationRows(options, context);
  const window = Math.min(numberIn(options, 'window') ?? DEFAULT_WINDOW, context);
  return windowsOf(options.text, { window, limit: numberIn(options, 'limit'), share: options.share });
}

/** Tokens of a question with all its answers: rough, and the same for all tasks. */
const TOKENS_PER_ITEM = 240;
/** Of a question of a probe; those that write cost about as much as all questions of another one. */
const TOKENS_PER_PROBE = 160;
/** Of a task's file. A line has the question and what the file says about it. */
const BYTES_PER_ITEM = 400;

/** Tokens of a row of questions: only the attention depends on it, which is little. */
const QUESTION_ROW = 64;

/** The rows that a model reads of all questions of a job's tasks; undefined when a file is missing. */
export function questionRows({ data, tasks: named, own, limit, probes }: JsonObject): RowShape | undefined {
  const most = typeof limit === 'number' ? limit : Infinity;
  let tokens = 0;
  for (const file of filesOf(own)) {
    const found = questionsOfFile(file);
    if (found === undefined) return undefined;
    tokens += found.tokens * Math.min(1, most / found.items);
  }
  const asked = askedProbes(probes).length;
  tokens += asked * Math.min(most, QUESTIONS) * TOKENS_PER_PROBE;
  if (data !== undefined || (own === undefined && asked === 0)) {
    const count = Array.isArray(named) ? named.length : TASK_NAMES.length;
    // Without a folder, one that has enough of all tasks.
    const bytes = data === undefined ? Infinity : bytesAt(data);
    if (bytes === undefined) return undefined;
    const there = (bytes / BYTES_PER_ITEM) * (count / TASK_NAMES.length);
    tokens += TOKENS_PER_ITEM * Math.min(bytes > 0 ? there : Infinity, most * count); // or folders of tasks are in it
  }
  return Number.isFinite(tokens) ? { rows: tokens / QUESTION_ROW, length: QUESTION_ROW } : undefined;
}

const filesOf = (own: unknown): readonly unknown[] => (own === undefined ? [] : Array.isArray(own) ? own : [own]);

const askedProbes = (probes: unknown): ProbeName[] =>
  Array.isArray(probes) ? probesNamed(probes as readonly (ProbeName | 'all')[]) : [];

/** A model writes answers to some of the questions, and does not only choose among them. */
export const writesAnswers = ({ own, probes }: JsonObject): boolean =>
  filesOf(own).some((file) => questionsOfFile(file)?.writes === true) ||
  askedProbes(probes).some((name) => WRITTEN_PROBES.includes(name));

/** What is known of a file of questions without asking them. */
export interface QuestionsOfFile {
  readonly items: number;
  /** That a model reads for them. */
  readonly tokens: number;
  /** Some answers are written. */
  readonly writes: boolean;
}

/** Questions of the user's own file, as many as its list has. */
export function questionsOfFile(file: unknown): QuestionsOfFile | undefined {
  if (bytesAt(file) === undefined) return undefined;
  const content = readFileSync(String(file), 'utf8');
  const named = content.match(/"(answer|expected)"\s*:/g) ?? [];
  const writes = named.some((each) => each.startsWith('"expected"'));
  return { items: named.length || 1, tokens: content.length / BYTES_PER_TOKEN, writes };
}
