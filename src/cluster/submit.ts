/** Begins runs on a cluster, goes on with those whose parts failed, and ends them. */
import { readdir, rename, rm, rmdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { UserError } from '../engine/errors';
import { option } from '../engine/option-token';
import { MAX_PARTS } from '../engine/parts/part';
import { argvOf } from '../jobs/argv';
import { completeOptions } from '../jobs/complete';
import type { AnyJob } from '../jobs/define';
import { JOBS } from '../jobs/definitions';
import { changePaths } from '../jobs/option-paths';
import type { OptionsFor } from '../jobs/kinds';
import { CUT_FAULTS } from '../jobs/parts/faults';
import type { CutKind } from '../jobs/parts/part-record';
import { agreed, type Consent, sealed } from './consent';
import { MachineSpeeds } from '../estimates/machine';
import { estimateParts } from './estimate';
import {
  type ClusterRun,
  makeRunFolder,
  partFile,
  partProgressFile,
  readRun,
  type SchedulerName,
  type Submission,
  writeRun,
} from './folder';
import type { PartFiles } from './part-files';
import { schedulerOf } from './schedulers';
import { look } from './status';

/** What a user asks for. */
export interface RunRequest {
  readonly kind: CutKind;
  /** Of the job, as the user gave them. Relative paths start at the working folder. */
  readonly options: object;
  readonly parts: number;
  /** Of the run: a new one, or an empty one. The machines of the cluster see it under the same path. */
  readonly folder: string;
  readonly scheduler: SchedulerName;
  /** Options of the scheduler; see `ClusterRun.asked`. */
  readonly asked: Readonly<Record<string, string>>;
  /** Words that start Coppice on a machine of the cluster: ["coppice"]. */
  readonly command: readonly string[];
}

/** A run with what the scheduler takes. */
export interface PreparedRun {
  /** Absolute. */
  readonly folder: string;
  readonly run: ClusterRun;
  /** Scripts or manifests, absolute. */
  readonly files: readonly string[];
}

export interface SubmittedRun extends PreparedRun {
  readonly submission: Submission;
}

/** Makes the folder of a run, and hands nothing to the scheduler. @throws UserError */
export async function prepareRun(request: RunRequest): Promise<PreparedRun> {
  const { kind, parts, scheduler, asked, command } = request;
  if (!Number.isSafeInteger(parts) || parts < 1 || parts > MAX_PARTS) {
    throw new UserError(
      `A run cannot have ${parts} parts`,
      `it has from 1 to ${MAX_PARTS}`,
      'Give another number of parts.',
    );
  }
  const complete = completeCut(kind, request.options);
  const { place, threads: threadsOf } = schedulerOf(scheduler);
  const words = wordsOf(JOBS[kind], request.options, (path) => place?.(path, asked) ?? resolve(path));
  const threads = complete.threads ?? threadsOf?.(asked) ?? 1;
  const estimate = await estimateParts(kind, complete, parts, { threads, speeds: await MachineSpeeds.open() });
  const folder = resolve(request.folder);
  const details = { kind, words, parts, scheduler, asked, command, submissions: [] };
  const run = await makeRunFolder(folder, { ...details, ...(estimate && { estimate }) });
  return orRemove(folder, async () => {
    const files = await schedulerOf(scheduler).write(folder, run);
    const own = await sealed(folder, run);
    await writeRun(folder, own);
    return { folder, run: own, files };
  });
}

/**
 * Makes the folder of a run and hands all its parts to the scheduler.
 * @throws UserError when the scheduler refuses: then there is no folder
 */
export async function submitRun(request: RunRequest): Promise<SubmittedRun> {
  const { folder, run, files } = await prepareRun(request);
  const all = Array.from({ length: run.parts }, (_, i) => i + 1);
  const submission = await orRemove(folder, () => schedulerOf(run.scheduler).submit(folder, run, all));
  const submitted = { ...run, submissions: [submission] };
  await writeRun(folder, submitted);
  return { folder, run: submitted, files, submission };
}

/** Takes everything of the run out of the scheduler's hands. What is measured stays. @throws UserError */
export async function cancelRun(folder: string): Promise<void> {
  const run = await readRun(folder);
  if (run.submissions.length > 0) await schedulerOf(run.scheduler).cancel(run);
}

/** @throws UserError for options that are not valid, or need the whole */
export function completeCut<K extends CutKind>(kind: K, given: object): OptionsFor<K> {
  const complete = completeOptions(JOBS[kind], given) as OptionsFor<K>;
  const fault = CUT_FAULTS[kind](complete);
  if (fault) throw new UserError(fault.what, fault.why, fault.action);
  return complete;
}

/** The words after `coppice` that do the job on another machine: their paths are absolute. */
function wordsOf(job: AnyJob, given: object, place: (path: string) => string): string[] {
  const moved = Object.entries(given).map(([name, value]: [string, unknown]): [string, unknown] => {
    const { kind } = job.options[name];
    if (kind.kind === 'data' && value !== undefined) {
      throw new UserError(
        `${job.kind} cannot run on a cluster with ${name}`,
        'a command line cannot express it',
        `Leave ${option('data')} out.`,
      );
    }
    return [name, changePaths(kind, value, place)];
  });
  return argvOf(job, Object.fromEntries(moved));
}

/** Leaves no folder of a run that never began. */
async function orRemove<T>(folder: string, make: () => Promise<T>): Promise<T> {
  try {
    return await make();
  } catch (error) {
    // The folder was empty before, and nothing runs in it.
    for (const name of await readdir(folder).catch(() => [])) await rm(join(folder, name), { recursive: true });
    await rmdir(folder).catch(() => undefined);
    throw error;
  }
}

/** What was handed over again. */
export interface Resubmitted {
  /** Numbers; empty if only the gather was, or nothing. */
  readonly parts: readonly number[];
  /** Undefined if there was nothing to do. */
  readonly submission?: Submission;
}

/**
 * Hands the parts that failed, or were never submitted, to the scheduler again, with a new gather after them and after
 * those that still run.
 * @param consent is asked where somebody else may have written what would be started
 * @throws UserError without consent, and when the scheduler is not there, or refuses
 */
export async function resubmitFailed(given: string, consent: Consent): Promise<Resubmitted> {
  const folder = resolve(given);
  const { run, files, queue, status } = await look(folder);
  const scheduler = schedulerOf(run.scheduler);
  const submitted = new Set(run.submissions.flatMap(({ parts }) => parts));
  const parts = status.parts
    .filter(({ number, state }) => state === 'failed' || (state === 'waiting' && !submitted.has(number)))
    .map(({ number }) => number);
  const gatherLives = queue?.gather !== undefined && queue.gather.state !== 'ended';
  if (parts.length === 0 && (status.record !== null || gatherLives)) return { parts };
  if (queue === undefined) {
    throw new UserError(
      'The parts cannot be submitted again',
      'the scheduler cannot be asked from this machine, so they may still run',
      'Run this where the scheduler can be asked.',
    );
  }
  const own = await agreed(folder, run, consent);
  await makeWay(folder, parts, files);
  if (gatherLives) await scheduler.cancel(own, 'gather');
  await requireSame(folder, own);
  const submission = await scheduler.submit(folder, own, parts);
  await writeRun(folder, { ...own, submissions: [...own.submissions, submission] });
  return { parts, submission };
}

/** Removes what an earlier attempt said, and puts a record aside that is none: a part with a record does nothing. */
async function makeWay(folder: string, parts: readonly number[], files: PartFiles): Promise<void> {
  const records = new Set(parts.map((number) => partFile(folder, number)));
  const progress = new Set(parts.map((number) => partProgressFile(folder, number)));
  for (const { file } of files.progress) if (progress.has(file)) await rm(file, { force: true });
  for (const { file } of files.records) if (records.has(file)) await rename(file, `${file}.broken`);
}

/** @throws UserError when another process submitted meanwhile */
async function requireSame(folder: string, { submissions }: ClusterRun): Promise<void> {
  if ((await readRun(folder)).submissions.length !== submissions.length) throw submittedMeanwhile('parts');
}

/** Nothing is to run twice. @param what was to be submitted: "parts" */
export const submittedMeanwhile = (what: string): UserError =>
  new UserError(
    `The ${what} were not submitted again`,
    'another process submitted them at this moment',
    'Look at the status.',
  );
