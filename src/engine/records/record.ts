/**
 * The record of a run: inputs, settings, device, and results. Every number that Coppice shows can be traced to a
 * record. `schema: 1`; non-finite numbers are strings (engine/json.ts).
 */
import { isGgufCheckpoint, nameOfGguf } from '../checkpoint/gguf/name';
import { randomBytes } from 'node:crypto';
import { open, realpath, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { TextShare } from '../../format/text-share';
import { version } from '../../../package.json';
import type { Checkpoint } from '../checkpoint/types';
import { asStored } from '../checkpoint/width';
import { systemErrorCode, UserError } from '../errors';
import { option } from '../option-token';
import { isObject, stringifyJson } from '../../format/json';
import { cannotWrite } from '../system-failure';
import type { RunPrecision } from '../precision';
import { withFile } from '../files/regular-file';
import { readTextFile } from '../files/text-file';

const RUN_RECORD_SCHEMA = 1;

/** The record's file name in the folder of a model or an adapter that the run made. */
export const RECORD_NAME = 'coppice.json';

/** A run record has a few kilobytes. Even the per-block results of the deepest models are far smaller than this. */
const MAX_RECORD_BYTES = 64 * 1024 * 1024;

/** An input of a run. Its identity tells whether another run read the same. */
export interface RunInput {
  /** "model", "calibration", "text", "scores". */
  readonly role: string;
  /** File or folder name without its path, which is private. */
  readonly name: string;
  /** Path relative to the record's folder, in records that remain with the user (records/places.ts). */
  readonly place?: string;
  /** For a checkpoint: SHA-256 of config, shard headers and sizes. */
  readonly identity?: string;
  /** For a file: SHA-256 of its bytes. */
  readonly sha256?: string;
  /** For a text: the share of it that was read; all of it when undefined. */
  readonly share?: TextShare;
}

export interface RunRecord {
  readonly schema: typeof RUN_RECORD_SCHEMA;
  /** The command: "score", "prune", "eval", "generate", "bench". */
  readonly kind: string;
  readonly inputs: readonly RunInput[];
  readonly settings: Readonly<Record<string, unknown>>;
  /**
   * The options of the job, with which it can run again, in records that remain with the user; paths are relative to the
   * record's folder. Absent in records of versions that did not keep them.
   */
  readonly options?: Readonly<Record<string, unknown>>;
  /** Null when nothing was random. */
  readonly seed: number | null;
  /** The execution provider and why it was chosen; null when nothing was computed. */
  readonly device: unknown;
  /** What the numbers were computed in; absent when nothing was computed, and in records of versions that knew float32 only. */
  readonly precision?: RunPrecision;
  /** `onnxruntime` is null when no session was opened. */
  readonly versions: { readonly coppice: string; readonly node: string; readonly onnxruntime: string | null };
  readonly results: Readonly<Record<string, unknown>>;
  /** Notes for readers of the results; absent when there are none. */
  readonly notes?: readonly string[];
  /** ISO 8601, UTC. */
  readonly started: string;
  readonly finished: string;
}

/** The fields that the caller provides; the others are filled in. */
export interface RunFacts {
  readonly kind: string;
  readonly inputs: readonly RunInput[];
  readonly settings: Readonly<Record<string, unknown>>;
  readonly options?: Readonly<Record<string, unknown>>;
  readonly seed?: number;
  readonly device?: unknown;
  readonly precision?: RunPrecision;
  readonly onnxruntime?: string;
  readonly results: object;
  readonly notes?: readonly string[];
  readonly started: Date;
  readonly finished?: Date;
}

/** Makes the record of a run that ends now. */
export function newRecord(facts: RunFacts): RunRecord {
  return {
    schema: RUN_RECORD_SCHEMA,
    kind: facts.kind,
    inputs: facts.inputs,
    settings: facts.settings,
    ...(facts.options && { options: facts.options }),
    seed: facts.seed ?? null,
    device: facts.device ?? null,
    ...(facts.precision && { precision: facts.precision }),
    versions: {
      coppice: version,
      node: process.versions.node,
      onnxruntime: facts.onnxruntime ?? null,
    },
    results: { ...facts.results },
    ...(facts.notes && facts.notes.length > 0 && { notes: facts.notes }),
    started: facts.started.toISOString(),
    finished: (facts.finished ?? new Date()).toISOString(),
  };
}

/** The checkpoint as an input of a run. The file of a width is an input of its own. */
export function modelInput(checkpoint: Checkpoint): RunInput {
  return { role: 'model', name: modelName(checkpoint), identity: asStored(checkpoint).identity };
}

/** The model's name in the notes of files that belong to it: of a narrower one with a part of its digest. */
export const baseName = (checkpoint: Checkpoint): string =>
  checkpoint.narrowing
    ? `${modelName(checkpoint)} of width ${checkpoint.narrowing.digest.slice(0, 8)}`
    : modelName(checkpoint);

/** The model's name: "org/name" for a snapshot in a Hugging Face cache, else its folder's or GGUF file's name. Never a path. */
export const modelName = (checkpoint: Checkpoint): string =>
  isGgufCheckpoint(checkpoint) ? nameOfGguf(checkpoint.home) : nameOfFolder(checkpoint.folder);

/** The name for a checkpoint's folder. */
export function nameOfFolder(folder: string): string {
  const parts = folder.split(/[/\\]/).filter((part) => part !== '');
  const repository = parts.at(-2) === 'snapshots' ? parts.at(-3) : undefined;
  if (repository?.startsWith('models--')) return repository.slice('models--'.length).split('--').join('/');
  return parts.at(-1) ?? 'model';
}

/** The record for a file that is shared with others, which names no places: options have paths too. */
export const sharedRecord = ({ options: _, ...record }: RunRecord): RunRecord => ({
  ...record,
  inputs: record.inputs.map(({ place: _, ...input }) => input),
});

/** The text of a record in a file. */
export function recordText(record: RunRecord): string {
  return `${stringifyJson(record, 2)}\n`;
}

/** Times, speeds and memory: they have other digits in each run. */
const MEASURED = /^( *"(?:\w*seconds?|peakRssBytes)": )(-?[\d.e+-]+|null)(,?)$/gim;
/** No number is longer as text. */
const WIDTH = 24;

/**
 * The text of a record in the files of a model. What is measured of a run has a fixed width, so that two runs that write the
 * same model write as many bytes.
 */
export const recordTextInModel = (record: RunRecord): string =>
  recordText(record).replaceAll(
    MEASURED,
    (_, name: string, value: string, end: string) => `${name}${value.padStart(WIDTH)}${end}`,
  );

/**
 * Writes the record to `file` atomically, replacing an older one. A link stays, and its target is replaced.
 * @throws UserError when the folder is missing, read-only or full
 */
export async function writeRecord(file: string, record: RunRecord): Promise<void> {
  const target = await realpath(file).catch(() => file); // usually it does not exist yet
  const temporary = join(dirname(target), `.coppice-record-${process.pid}-${randomBytes(4).toString('hex')}`);
  try {
    const handle = await open(temporary, 'wx');
    try {
      await handle.writeFile(recordText(record));
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, target);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined);
    const what = `the run record ${file}`;
    const why = FOLDER_FAILURES[systemErrorCode(error) ?? ''];
    if (why === undefined) throw cannotWrite(what, error);
    throw new UserError(`${what} cannot be written`, why, 'Name a file in a folder that exists.', { cause: error });
  }
}

const FOLDER_FAILURES: Readonly<Partial<Record<string, string>>> = {
  ENOENT: 'its folder does not exist',
  ENOTDIR: 'its folder is a file',
};

/**
 * Reads a record and checks its shape.
 * @throws UserError when the file is missing, too large, not JSON, or not a record of this schema
 */
export const readRecord = (file: string): Promise<RunRecord> =>
  readRecordAs(file, MAX_RECORD_BYTES, (why, cause) => {
    const action = `Give a file that a Coppice run wrote with ${option('record')}.`;
    return new UserError(`${file} is not a run record`, why, action, { cause });
  });

/**
 * The same where a special record is needed.
 * @param capBytes the largest accepted size
 * @param refuse makes the error from the reason
 * @throws what `refuse` makes
 */
export async function readRecordAs(
  file: string,
  capBytes: number,
  refuse: (why: string, cause?: unknown) => UserError,
): Promise<RunRecord> {
  let text: string;
  try {
    ({ text } = await readTextFile(file, capBytes, 'A run record is never this large.'));
  } catch (error) {
    throw error instanceof UserError ? refuse(error.texts.why, error) : error;
  }
  return parseRecord(text, refuse);
}

/**
 * The record that a text is.
 * @param refuse makes the error from the reason
 * @throws what `refuse` makes, for a text that is not JSON, or not a record of this schema
 */
export function parseRecord(text: string, refuse: (why: string, cause?: unknown) => UserError): RunRecord {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw refuse('it is not JSON', error);
  }
  const fault = recordFault(value);
  if (fault !== undefined) throw refuse(fault);
  return value as RunRecord;
}

/**
 * The record inside a folder that Coppice wrote: a checkpoint or an adapter.
 * @returns undefined when there is no readable record, as in folders of other programs
 */
export async function recordIn(folder: string): Promise<RunRecord | undefined> {
  try {
    return await readRecord(join(folder, RECORD_NAME));
  } catch (error) {
    if (error instanceof UserError) return undefined;
    throw error;
  }
}

/** Whether a file begins as a record does. A damaged one is replaced too. */
export async function looksLikeRecord(file: string): Promise<boolean> {
  try {
    return await withFile(file, async (open) => {
      const head = await open.readRange(0, Math.min(open.bytes, 64));
      return /^\{\s*"schema":/.test(head.toString('latin1'));
    });
  } catch {
    return false;
  }
}

/** Why `value` is not a record, in words; undefined when it is one. */
function recordFault(value: unknown): string | undefined {
  if (!isObject(value)) return 'it is not a JSON object';
  if (value.schema !== RUN_RECORD_SCHEMA) {
    return `schema is ${JSON.stringify(value.schema)}, this version reads ${RUN_RECORD_SCHEMA}`;
  }
  for (const key of ['kind', 'started', 'finished'])
    if (typeof value[key] !== 'string') return `${key} is not a string`;
  for (const key of ['settings', 'results', 'versions']) if (!isObject(value[key])) return `${key} is not an object`;
  for (const key of ['started', 'finished'])
    if (Number.isNaN(Date.parse(value[key] as string))) return `${key} is not a date`;
  if (value.options !== undefined && !isObject(value.options)) return 'options is not an object';
  if (value.seed !== null && typeof value.seed !== 'number') return 'seed is not a number';
  if (!Array.isArray(value.inputs)) return 'inputs is not a list';
  const inputFault = value.inputs.findIndex(
    (input) => !isObject(input) || typeof input.role !== 'string' || typeof input.name !== 'string',
  );
  return inputFault >= 0 ? `inputs[${inputFault}] has no role or name` : undefined;
}
