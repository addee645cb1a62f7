/** Begins runs on a cluster, goes on with those whose parts failed, and ends them. */
import { readdir, rm, rmdir } from 'node:fs/promises';
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
import { estimateParts } from './estimate';
import { type ClusterRun, makeRunFolder, readRun, type SchedulerName, type Submission, writeRun } from './folder';
import { schedulerOf } from './schedulers';

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
  const words = wordsOf(JOBS[kind], request.options);
  const estimate = await estimateParts(kind, complete, parts, { threads: 1 });
  const folder = resolve(request.folder);
  const details = { kind, words, parts, scheduler, asked, command, submissions: [] };
  const run = await makeRunFolder(folder, { ...details, ...(estimate && { estimate }) });
  const files = await orRemove(folder, () => schedulerOf(scheduler).write(folder, run));
  return { folder, run, files };
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
function wordsOf(job: AnyJob, given: object): string[] {
  const moved = Object.entries(given).map(([name, value]: [string, unknown]): [string, unknown] => {
    const { kind } = job.options[name];
    if (kind.kind === 'data' && value !== undefined) {
      throw new UserError(
        `${job.kind} cannot run on a cluster with ${name}`,
        'a command line cannot express it',
        `Leave ${option('data')} out.`,
      );
    }
    return [name, changePaths(kind, value, (path) => resolve(path))];
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

/** Hands the parts that failed, or were never submitted, to the scheduler again, with a new gather. @throws UserError */
export function resubmitFailed(_folder: string): Promise<Resubmitted> {
  return Promise.reject(new Error('not yet'));
}
