/** Jobs beyond one machine: a part of the work here, other parts elsewhere, and the whole from all of them. */
import { dirname, resolve } from 'node:path';
import { UserError } from '../engine/errors';
import { MAX_PARTS, parsePart } from '../engine/parts/part';
import { textsIn } from '../engine/records/places';
import { looksLikeRecord } from '../engine/records/record';
import { completeOptions } from '../jobs/complete';
import { checkpointsIn } from '../jobs/define';
import { JOBS } from '../jobs/definitions';
import { checkFileTarget } from '../jobs/file-target';
import type { OptionsFor } from '../jobs/kinds';
import { partFilesIn } from '../jobs/parts/files';
import { gatherParts, writeGathered } from '../jobs/parts/gather';
import { isCutKind, isShared, readPart } from '../jobs/parts/part-record';
import { partFile } from '../jobs/parts/places';
import { progressFileOf } from '../jobs/parts/progress-file';
import { runPart as runPartOf } from '../jobs/parts/run-part';
import { runSharedPart } from '../jobs/parts/run-shared';
import { fileFor } from '../jobs/run-job';
import { requireAround, requireObject, requirePath, requireText, requireTexts } from './given';
import { scriptText } from './naming';
import type { CurveOptions, EvaluateOptions, ExpertsOptions, HealOptions, ScoreOptions, TasksOptions } from './options';
import type { CurveResult, EvaluateResult, ExpertsResult, HealResult, ScoreResult, TasksResult } from './results';
import { failureOf, type RunOptions, warnProcess } from './run';

/** The jobs whose work can be cut into parts, by the names of their commands, with their options. */
export interface PartableOptions {
  /** Of `score()`. */
  readonly score: ScoreOptions;
  /** Of `evaluate()`. */
  readonly eval: EvaluateOptions;
  /** Of `tasks()`. */
  readonly tasks: TasksOptions;
  /** Of `curve()`. */
  readonly curve: CurveOptions;
  /** Of `experts()`. */
  readonly experts: ExpertsOptions;
  /** Of `heal()`. Its parts go on together: give `folder` in place of `record`. */
  readonly heal: HealOptions;
}

/** What goes with a part of a job. */
export interface PartRunOptions extends Pick<RunOptions, 'signal' | 'onProgress' | 'onNote' | 'onWarning'> {
  /** Which one: `'3/8'` is the third of eight. */
  readonly part: string;
  /** File for the partial record, with the numbers of the part. */
  readonly record?: string;
  /**
   * Of `'heal'`, in place of `record`: folder where all parts meet, which every machine sees. The record is
   * `parts/part-3.json` in it.
   */
  readonly folder?: string;
}

/** A part that is measured. Its numbers are in its record. */
export interface MeasuredPart {
  /** Its job and its number, from 1, of how many. */
  readonly part: { readonly job: string; readonly number: number; readonly of: number };
  /** What it took. */
  readonly seconds: number;
  /** The most memory that the process had. */
  readonly peakRssBytes: number;
}

/** What goes with gathering. */
export interface GatherOptions extends Pick<RunOptions, 'signal' | 'onNote' | 'onWarning'> {
  /** File for the record of the whole run. Without it, none is written. */
  readonly record?: string;
}

/** A whole run, made of its parts: its job, and what that returns in one process. */
export type GatheredParts =
  | { readonly job: 'score'; readonly result: ScoreResult }
  | { readonly job: 'eval'; readonly result: EvaluateResult }
  | { readonly job: 'tasks'; readonly result: TasksResult }
  | { readonly job: 'curve'; readonly result: CurveResult }
  | { readonly job: 'experts'; readonly result: ExpertsResult }
  | { readonly job: 'heal'; readonly result: HealResult };

/**
 * Computes one part of a job's work and writes its partial record. Parts run anywhere, in any order; {@link gather} joins
 * them. As the option `part` of the commands.
 * @param job the name of its command
 * @param options of the job's function, the same for all parts
 * @returns what the part took
 * @throws UserError for options or files that cannot be used, or that need the whole; CancelledError
 * @example
 * ```ts
 * import { runPart } from 'coppice';
 *
 * const n = Number(process.env.PART); // from 1 to 8, one on each machine
 * const options = { checkpoint: './SmolLM2-135M', calibration: 'prose.txt' };
 * await runPart('score', options, { part: `${n}/8`, record: `parts/part-${n}.json` });
 * ```
 */
export async function runPart<J extends keyof PartableOptions>(
  job: J,
  options: PartableOptions[J],
  around: PartRunOptions,
): Promise<MeasuredPart> {
  requireObject(options, 'The options');
  requireAround(around);
  const { signal, onProgress, onNote, onWarning = warnProcess, record, folder } = around;
  try {
    requireText(around.part, 'The part');
    const part = parsePart(around.part);
    requireText(job, 'The job');
    if (!isCutKind(job)) throw new UserError(`${String(job)} has no parts`, 'it is no job that can be cut', ONE_OF);
    if (!part) {
      const form = `Give a text such as '3/8': from 1/n to n/n, and n at most ${MAX_PARTS}.`;
      throw new UserError(`${around.part} is no part`, 'it does not say which one of how many', form);
    }
    const complete = completeOptions(JOBS[job], options) as OptionsFor<J>;
    const environment = {
      job: { signal, onProgress },
      hooks: {},
      note: (text: string) => onNote?.(scriptText(text)),
      warn: (text: string) => onWarning(scriptText(text)),
    };
    if (isShared(job)) {
      requirePath(folder, 'The folder');
      const outcome = await runSharedPart(job, complete, part, { ...environment, folder });
      const { seconds, peakRssBytes } = outcome?.results ?? (await readPart(partFile(folder, part.number))).results;
      return { part: { job, ...part }, seconds, peakRssBytes };
    }
    requirePath(record, 'The record');
    await checkFileTarget(
      'the record',
      record,
      checkpointsIn(JOBS[job], complete).at(0),
      textsIn(complete),
      looksLikeRecord,
    );
    const { results } = await runPartOf(job, complete, part, {
      ...environment,
      place: fileFor(record),
      progressFile: progressFileOf(record),
    });
    const { seconds, peakRssBytes } = results;
    return { part: results.part, seconds, peakRssBytes };
  } catch (error) {
    throw failureOf(error, signal);
  }
}

const ONE_OF = "Give 'score', 'eval', 'tasks', 'curve', 'experts' or 'heal'.";

/**
 * Joins the partial records of a job that ran in parts: the numbers are those of one process, to the last bit. As
 * `coppice gather`.
 * @param parts files of partial records, or folders of them
 * @returns the job, and what its function returns
 * @throws UserError for parts that are missing, or of several runs; CancelledError
 * @example
 * ```ts
 * import { gather } from 'coppice';
 *
 * const { job, result } = await gather(['parts'], { record: 'scores.json' });
 * if (job === 'score') console.log('least important first:', result.order);
 * ```
 */
export async function gather(parts: readonly string[], around: GatherOptions = {}): Promise<GatheredParts> {
  requireTexts(parts, 'The parts');
  if (parts.length === 0)
    throw new UserError('There is nothing to gather', 'no part is given', 'Name files or folders.');
  requireAround(around);
  const { signal, onNote, onWarning = warnProcess, record: file } = around;
  try {
    for (const path of file === undefined ? parts : [...parts, file]) requirePath(path, 'A path');
    const files = await partFilesIn(parts, file);
    if (file !== undefined) await checkFileTarget('the record', file, undefined, files, looksLikeRecord);
    const { kind, result, record, notes, warnings } = await gatherParts(files, dirname(resolve(file ?? '.')), {
      signal,
    });
    notes.forEach((text) => onNote?.(scriptText(text)));
    warnings.forEach((text) => onWarning(scriptText(text)));
    if (file !== undefined) await writeGathered(file, record);
    return { job: kind, result } as GatheredParts;
  } catch (error) {
    throw failureOf(error, signal);
  }
}
