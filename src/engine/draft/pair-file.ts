/**
 * `coppice-pair.json`, the record in the folder of a model and its draft: what they are, for which program, how the draft is set,
 * which texts the model writes, in how many passes, and the hash of every file. The folder may be anybody's: everything is
 * checked, and every length has a limit.
 */
import { join } from 'node:path';
import { isObject, type JsonObject } from '../../format/json';
import { UserError } from '../errors';
import { namesIn } from '../files/names';
import { isBelow } from '../files/paths';
import { readRecordAs, type RunRecord } from '../records/record';
import { type Runtime, RUNTIMES } from './runtimes';

export const PAIR_NAME = 'coppice-pair.json';

/** Bytes of the file; texts; tokens of a text; tokens of all; files. */
const MOST = { bytes: 16 * 2 ** 20, texts: 256, tokens: 32_768, all: 131_072, files: 10_000 } as const;
/** Programs have no larger one. */
const MOST_DRAFTED = 16;
/** A program may need as much time for each token: more are not run. */
const MOST_WRITTEN = 4096;

/** A text that the model writes greedily. */
export interface PairText {
  readonly prompt: readonly number[];
  readonly ids: readonly number[];
  /** Passes of the model that were forecast; null where none were. */
  readonly rounds: number | null;
}

/** How a pair was written. */
export interface PairSettings {
  readonly runtime: Runtime;
  /** The most tokens of a round. */
  readonly length: number;
  /** A token that the draft finds less likely ends the round's draft; 0 for none. */
  readonly threshold: number;
  /** How the application draws. The texts are the most likely ones all the same. */
  readonly temperature: number;
}

/** A pair on the disk. */
export interface PairFile extends PairSettings {
  /** Absolute. */
  readonly folder: string;
  readonly texts: readonly PairText[];
  /** Name of the model that was written. */
  readonly model: string;
  readonly record: RunRecord;
}

/**
 * The record of a pair in a folder.
 * @returns undefined where there is none
 * @throws UserError where it is none that Coppice writes
 */
export async function pairIn(folder: string): Promise<PairFile | undefined> {
  if (!(await namesIn(folder)).includes(PAIR_NAME)) return undefined;
  const file = join(folder, PAIR_NAME);
  const refuse = (why: string, cause?: unknown): UserError =>
    new UserError(`${file} is not the record of a pair`, why, 'Write the pair again.', { cause });
  const record = await readRecordAs(file, MOST.bytes, refuse);
  const fault = settingsFault(record.settings) ?? textsFault(record.results.texts) ?? filesFault(record.results.files);
  if (fault !== undefined) throw refuse(fault);
  const { runtime, length, threshold, temperature } = record.settings as unknown as PairSettings;
  const model = record.inputs.find(({ role }) => role === 'model')?.name ?? 'the model';
  const texts = record.results.texts as PairText[];
  return { folder, runtime, length, threshold, temperature, texts, model, record };
}

function settingsFault({ runtime, length, threshold, temperature }: JsonObject): string | undefined {
  if (!(RUNTIMES as readonly unknown[]).includes(runtime))
    return `runtime is ${shown(runtime)}, no program that is known`;
  if (!isWhole(length, 1, MOST_DRAFTED))
    return `length is ${shown(length)}, not a whole number from 1 to ${MOST_DRAFTED}`;
  if (!isAmount(threshold, 1)) return `threshold is ${shown(threshold)}, not a number from 0 to 1`;
  return isAmount(temperature, 100) ? undefined : `temperature is ${shown(temperature)}, not a number from 0 to 100`;
}

function textsFault(texts: unknown): string | undefined {
  if (!Array.isArray(texts) || texts.length > MOST.texts) return `texts is not a list of at most ${MOST.texts}`;
  let all = 0;
  for (const [i, text] of (texts as unknown[]).entries()) {
    if (!isObject(text)) return `texts[${i}] is not an object`;
    const { prompt, ids, rounds } = text;
    if (!isIds(prompt, MOST.tokens)) return `the prompt of texts[${i}] is not a list of 1 to ${MOST.tokens} token ids`;
    if (!isIds(ids, MOST_WRITTEN)) return `ids of texts[${i}] is not a list of 1 to ${MOST_WRITTEN} token ids`;
    if (rounds !== null && !isWhole(rounds, 1, ids.length)) return `rounds of texts[${i}] is not a number of passes`;
    all += prompt.length + ids.length;
  }
  return all <= MOST.all ? undefined : `its texts have ${all} tokens, at most ${MOST.all}`;
}

function filesFault(files: unknown): string | undefined {
  if (!Array.isArray(files) || files.length > MOST.files) return `files is not a list of at most ${MOST.files}`;
  for (const [i, file] of (files as unknown[]).entries()) {
    if (!isObject(file) || typeof file.name !== 'string') return `files[${i}] has no name`;
    if (!isBelow(file.name)) return `files[${i}] is ${shown(file.name)}, which is not in the folder`;
    if (typeof file.sha256 !== 'string' || !/^[\da-f]{64}$/.test(file.sha256)) return `files[${i}] has no SHA-256`;
  }
  return undefined;
}

/** What a file says, cut to a length that a message may have. */
const shown = (value: unknown): string => (JSON.stringify(value) ?? 'missing').slice(0, 80);

const isWhole = (value: unknown, least: number, most: number): value is number =>
  Number.isInteger(value) && (value as number) >= least && (value as number) <= most;

const isAmount = (value: unknown, most: number): boolean => typeof value === 'number' && value >= 0 && value <= most;

const isIds = (value: unknown, most: number): value is number[] =>
  Array.isArray(value) && value.length >= 1 && value.length <= most && value.every((id) => isWhole(id, 0, 2 ** 31 - 1));
