/**
 * How far a run on a cluster is. The scheduler says which parts it has, and the folder says what they have done. Where the
 * scheduler cannot be asked, as on another machine, the folder alone tells.
 */
import { stat } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import { systemErrorCode, UserError } from '../engine/errors';
import { option } from '../engine/option-token';
import { partText } from '../engine/parts/part';
import type { CutKind } from '../jobs/parts/part-record';
import { progressFileOf } from '../jobs/parts/progress-file';
import {
  type ClusterRun,
  gatherLog,
  partFile,
  partLog,
  partsFolder,
  readRun,
  recordFile,
  runFile,
  type SchedulerName,
  type Submission,
} from './folder';
import {
  clockOf,
  type FoundRecord,
  isRecordOf,
  lastLines,
  type PartFiles,
  partFilesOf,
  type PartName,
} from './part-files';
import { NO_WORD, type PartState, type PartStatus, reasonIn, stateOf } from './part-state';
import type { Queue } from './scheduler';
import { schedulerOf } from './schedulers';

export type { PartState, PartStatus } from './part-state';

export interface ClusterStatus {
  /** Absolute. */
  readonly folder: string;
  readonly kind: CutKind;
  readonly parts: readonly PartStatus[];
  readonly counts: Readonly<Record<PartState, number>>;
  /** Of all parts together, from 0 to 1. */
  readonly progress: number;
  /** What makes the record of the parts. It waits too while parts that failed are not submitted again. */
  readonly gather: { readonly state: PartState; readonly error?: string };
  /** The record of the whole run, absolute; null while it is not there. */
  readonly record: string | null;
  /** Null where the folder has no run.json: its parts were begun by something else. */
  readonly scheduler: {
    readonly name: SchedulerName;
    /** The scheduler's names for what it was given, oldest first. */
    readonly submissions: readonly Submission[];
    /** False if it could not be asked: then the folder alone tells. */
    readonly asked: boolean;
  } | null;
}

/** A status with what it is made from. */
export interface Look {
  readonly run: ClusterRun;
  readonly files: PartFiles;
  readonly queue: Queue | undefined;
  readonly status: ClusterStatus;
}

/**
 * @param folder of a run, or with partial records
 * @param asks false to read the folder only, for those who look every few seconds
 * @throws UserError when it is neither
 */
export async function statusOf(folder: string, asks = true): Promise<ClusterStatus> {
  const there = await stat(runFile(folder)).catch((error: unknown) => {
    if (systemErrorCode(error) === undefined) throw error;
    return undefined;
  });
  return there ? (await look(folder, asks)).status : statusOfParts(resolve(folder));
}

/** @throws UserError when the folder has no run */
export async function look(given: string, asks = true): Promise<Look> {
  const folder = resolve(given);
  const run = await readRun(folder);
  // Asked first: what ends meanwhile has its record when the folder is read.
  const queue = await queueOf(run, asks);
  const files = await filesOfRun(folder, run.parts);
  const parts = await partsOf(run, files, queue, { folder, log: (number) => partLog(folder, number) });
  await clockOf(folder); // makes a network disk look again whether the record is there
  const record = (await isRecordOf(run.kind, recordFile(folder))) ? recordFile(folder) : null;
  const gather = await gatherOf(folder, parts, record, queue);
  const { scheduler: name, submissions } = run;
  const scheduler = { name, submissions, asked: queue !== undefined };
  return { run, files, queue, status: { ...summed(folder, run.kind, parts), gather, record, scheduler } };
}

/** The files of the parts of a run; none where its folder is not there yet. */
export async function filesOfRun(folder: string, parts: number): Promise<PartFiles> {
  const names = new Set(numbersTo(parts).map((number) => basename(partFile(folder, number))));
  return partFilesOf(partsFolder(folder), (name) => names.has(name));
}

const NOTHING: Queue = { parts: new Map() };

async function queueOf(run: ClusterRun, asks: boolean): Promise<Queue | undefined> {
  if (run.submissions.length === 0) return NOTHING;
  return asks ? schedulerOf(run.scheduler).queue(run) : undefined;
}

const numbersTo = (most: number): number[] => Array.from({ length: most }, (_, i) => i + 1);

/** Where the parts of a run have their records, and what they print. */
export interface PartPlaces {
  /** That has the folder of parts. */
  readonly folder: string;
  readonly log: (number: number) => string;
}

/** The state of each part, by the files and the scheduler. */
export async function partsOf(
  { kind, parts: of, submissions }: Pick<ClusterRun, 'kind' | 'parts' | 'submissions'>,
  files: PartFiles,
  queue: Queue | undefined,
  { folder, log }: PartPlaces,
): Promise<PartStatus[]> {
  const records = new Map(files.records.map((found) => [basename(found.file), found]));
  const progress = new Map(files.progress.map((found) => [basename(found.file), found]));
  const submitted = new Set(submissions.flatMap(({ parts }) => parts));
  const parts: PartStatus[] = [];
  for (const number of numbersTo(of)) {
    const file = partFile(folder, number);
    const record = records.get(basename(file));
    const known = {
      number,
      record: record && asPart(record, { job: kind, number, of }),
      progress: progress.get(basename(progressFileOf(file))),
      queued: queue?.parts.get(number),
      // What the scheduler has forgotten has ended.
      gone: queue !== undefined && submitted.has(number) && !queue.parts.has(number),
      submitted: submitted.has(number),
    };
    parts.push(await stateOf(known, () => lastLines(log(number))));
  }
  return parts;
}

/** The record, with a fault where it is that of another part. */
function asPart(record: FoundRecord, { job, number, of }: PartName): FoundRecord {
  const { part } = record;
  if (!part || (part.job === job && part.number === number && part.of === of)) return record;
  return { file: record.file, fault: `it is part ${partText(part)} of ${part.job}` };
}

async function gatherOf(
  folder: string,
  parts: readonly PartStatus[],
  record: string | null,
  queue: Queue | undefined,
): Promise<ClusterStatus['gather']> {
  if (record !== null) return { state: 'done' };
  const queued = queue?.gather;
  if (queued && queued.state !== 'ended') return { state: queued.state };
  // While a part lacks its record, the gather that ended was too early.
  if (!queued || parts.some(({ state }) => state !== 'done')) return { state: 'waiting' };
  return { state: 'failed', error: reasonIn(await lastLines(gatherLog(folder))) ?? queued.reason ?? NO_WORD };
}

const summed = (folder: string, kind: CutKind, parts: readonly PartStatus[]) => ({
  folder,
  kind,
  parts,
  counts: Object.fromEntries(
    STATES.map((state) => [state, parts.filter((part) => part.state === state).length]),
  ) as Record<PartState, number>,
  progress:
    parts.reduce((sum, { state, progress }) => sum + (state === 'done' ? 1 : (progress?.share ?? 0)), 0) / parts.length,
});

/** In the order in which they are told. */
export const STATES = ['done', 'running', 'waiting', 'failed'] as const satisfies readonly PartState[];

/** Of parts that something else began: those that left anything, the others wait. @throws UserError without any */
async function statusOfParts(folder: string): Promise<ClusterStatus> {
  const isRecord = (name: string): boolean => name.endsWith('.json');
  const inside = await partFilesOf(partsFolder(folder), isRecord);
  const files = inside.records.length + inside.progress.length > 0 ? inside : await partFilesOf(folder, isRecord);
  const named = [...files.records, ...files.progress].flatMap(({ part }) => (part ? [part] : []));
  const first = named.at(0);
  if (!first) {
    throw new UserError(
      `${folder} has no run`,
      'there is no run.json that `coppice submit` wrote, and no part of a run',
      `Give the folder of a run, or one with records of parts (${option('part')}).`,
    );
  }
  const other = named.find(({ job, of }) => job !== first.job || of !== first.of);
  if (other) {
    throw new UserError(
      `${folder} has parts of several runs`,
      `there are parts of ${first.job} (${first.of} parts) and of ${other.job} (${other.of} parts)`,
      'Give a folder with the parts of one run.',
    );
  }
  const parts: PartStatus[] = [];
  for (const number of numbersTo(first.of)) {
    const record = files.records.find(({ part }) => part?.number === number);
    const progress = files.progress.find(({ part }) => part.number === number);
    const known = { number, record, progress, gone: false, submitted: progress !== undefined };
    parts.push(await stateOf(known, () => Promise.resolve([])));
  }
  const done = (await isRecordOf(first.job, recordFile(folder))) ? recordFile(folder) : null;
  const gather = { state: done === null ? ('waiting' as const) : ('done' as const) };
  return { ...summed(folder, first.job, parts), gather, record: done, scheduler: null };
}
