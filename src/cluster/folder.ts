/**
 * The folder of a run on a cluster: all that its parts, their scheduler and its user share. Nothing is kept anywhere else,
 * so that any machine that sees the folder can say how far the run is, and go on with it.
 */
import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { version } from '../../package.json';
import { UserError } from '../engine/errors';
import { readTextFile } from '../engine/files/text-file';
import { writeWhole } from '../engine/files/whole-file';
import { MAX_PARTS } from '../engine/parts/part';
import { cannotWrite } from '../engine/system-failure';
import { isObject, stringifyJson } from '../format/json';
import { type CutKind, isCutKind } from '../jobs/parts/part-record';
import { partFile, partProgressFile, partsFolder } from '../jobs/parts/places';
import type { PartEstimate } from './estimate';

/** Who runs the parts, and takes them from Coppice. */
export const SCHEDULERS = ['slurm', 'kubernetes'] as const;
/** Who runs the parts: for the last ones, Coppice only writes what a user launches. */
const RUNNERS = [...SCHEDULERS, 'skypilot'] as const;
export type SchedulerName = (typeof RUNNERS)[number];

/** What was handed to the scheduler at one time. */
export interface Submission {
  /** The scheduler's name for the array of parts, and for the gather that waits for it. */
  readonly id: string;
  readonly gather?: string;
  /** Numbers of the parts. */
  readonly parts: readonly number[];
  /** ISO 8601, UTC; for people only. */
  readonly at: string;
}

/** A run on a cluster, as its folder keeps it. */
export interface ClusterRun {
  readonly schema: 1;
  /** Version of Coppice that wrote it. */
  readonly coppice: string;
  readonly kind: CutKind;
  /** Words of the command line after `coppice`, without the part, the record and the scheduler: "score", "/models/a", … */
  readonly words: readonly string[];
  readonly parts: number;
  readonly scheduler: SchedulerName;
  /** Options of the scheduler, as the user gave them: {"partition": "gpu", "time": "2:00:00"}. */
  readonly asked: Readonly<Record<string, string>>;
  /** What a part is expected to need at most; absent where that is not known. */
  readonly estimate?: PartEstimate;
  /** How to start Coppice on a node. */
  readonly command: readonly string[];
  /** Oldest first; empty while nothing is submitted. */
  readonly submissions: readonly Submission[];
  /** Proof that who submitted the run, or agreed to it, knows what it starts (consent.ts). */
  readonly seal?: string;
}

/** Places inside the folder. */
export const runFile = (folder: string): string => join(folder, 'run.json');
export { partFile, partProgressFile, partsFolder };
const logsFolder = (folder: string): string => join(folder, 'logs');
/** What a part, and the gather, print. */
export const partLog = (folder: string, number: number | string): string =>
  join(logsFolder(folder), `part-${number}.log`);
export const gatherLog = (folder: string): string => join(logsFolder(folder), 'gather.log');
/** The record of the whole run, once its parts are gathered. */
export const recordFile = (folder: string): string => join(folder, 'record.json');

/** @throws UserError when the folder cannot be made, or has something already: a run is never mixed with another */
export async function makeRunFolder(folder: string, run: Omit<ClusterRun, 'schema' | 'coppice'>): Promise<ClusterRun> {
  const made: ClusterRun = { schema: 1, coppice: version, ...run };
  try {
    await mkdir(folder, { recursive: true });
    if ((await readdir(folder)).length > 0) {
      throw new UserError(
        `${folder} is not empty`,
        'a run needs a folder of its own',
        `Name another folder. If it has this run, \`coppice status ${folder}\` says how far it is.`,
      );
    }
    await mkdir(partsFolder(folder));
    await mkdir(logsFolder(folder));
  } catch (error) {
    throw cannotWrite(folder, error);
  }
  await writeRun(folder, made);
  return made;
}

/** Replaces what the folder says of its run. @throws UserError */
export const writeRun = (folder: string, run: ClusterRun): Promise<void> =>
  writeWhole(runFile(folder), `${stringifyJson(run, 2)}\n`);

const MAX_RUN_BYTES = 16 * 2 ** 20;

/** @throws UserError when the folder has no run, or not one that this version reads */
export async function readRun(folder: string): Promise<ClusterRun> {
  const file = runFile(folder);
  const refuse = (why: string, cause?: unknown): UserError =>
    new UserError(`${folder} is not the folder of a run`, why, 'Give the folder that `coppice submit` made.', {
      cause,
    });
  let value: unknown;
  try {
    value = JSON.parse((await readTextFile(file, MAX_RUN_BYTES, 'It has a few kilobytes.')).text);
  } catch (error) {
    throw refuse(error instanceof UserError ? error.texts.why : 'run.json is not JSON', error);
  }
  const fault = runFault(value);
  if (fault !== undefined) throw refuse(`run.json: ${fault}`);
  return value as ClusterRun;
}

function runFault(value: unknown): string | undefined {
  if (!isObject(value)) return 'it is not an object';
  if (value.schema !== 1) return `schema is ${JSON.stringify(value.schema)}, this version reads 1`;
  const { kind, words, parts, scheduler, asked, command, submissions } = value;
  const isTexts = (list: unknown): boolean => Array.isArray(list) && list.every((text) => typeof text === 'string');
  if (typeof kind !== 'string' || !isCutKind(kind)) return 'kind is not a job that can be cut';
  if (!isTexts(words)) return 'words is not a list of texts';
  if (typeof parts !== 'number' || !Number.isSafeInteger(parts) || parts < 1 || parts > MAX_PARTS)
    return `parts is not a number from 1 to ${MAX_PARTS}`;
  if (!RUNNERS.some((name) => name === scheduler)) return 'scheduler is unknown';
  if (value.estimate !== undefined && !isEstimate(value.estimate)) return 'estimate is not one';
  if (!isObject(asked) || !isTexts(Object.values(asked))) return 'asked is not an object of texts';
  if (!isTexts(command)) return 'command is not a list of texts';
  if (value.seal !== undefined && typeof value.seal !== 'string') return 'seal is not a text';
  if (
    !Array.isArray(submissions) ||
    !submissions.every((each) => isSubmission(each, ID_FORMS[scheduler as SchedulerName]))
  )
    return 'submissions is not a list of submissions';
  return undefined;
}

function isEstimate(value: unknown): boolean {
  if (!isObject(value)) return false;
  const { seconds, memoryBytes, statesBytes, readBytes, folderBytes = 0 } = value;
  return [seconds, memoryBytes, statesBytes, readBytes, folderBytes].every(
    (amount) => typeof amount === 'number' && amount >= 0,
  );
}

/** What schedulers call jobs. The folder is shared, and these words become arguments of their programs. */
const ID_FORMS: Readonly<Record<SchedulerName, RegExp>> = {
  slurm: /^\d{1,10}$/,
  kubernetes: /^coppice-[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/,
  skypilot: /^(?!)/, // Coppice launches none
};

function isSubmission(value: unknown, form: RegExp): boolean {
  if (!isObject(value)) return false;
  const { id, gather, parts, at } = value;
  const isId = (text: unknown): boolean => typeof text === 'string' && form.test(text);
  const isNumbers = Array.isArray(parts) && parts.every((n) => typeof n === 'number' && Number.isSafeInteger(n));
  return isId(id) && (gather === undefined || isId(gather)) && isNumbers && typeof at === 'string';
}
