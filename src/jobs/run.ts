/** What a job gets from the world around it, and gives back. */
import type { JobOptions } from '../engine/progress';
import type { RunDetails } from '../engine/records/details';
import type { ModelHooks, ModelOptions } from '../engine/model/model';
import type { AnyJob, EventOf, OptionsOf, ResultOf } from './define';
import type { EventFor, GivenFor, Kind } from './kinds';
import type { RunResult } from './runs';

/** The world around a running job. `E` are the events that it tells. */
export interface JobContext<E = never> {
  /** Last argument of every long operation of the engine: cancelling and progress. */
  readonly job: JobOptions;
  /** For every model that the job opens. */
  readonly hooks: ModelHooks;
  /** Tells the caller something while the job runs. */
  readonly emit: (event: E) => void;
  /** Something that the user may want to know. */
  readonly note: (text: string) => void;
  /** Something that the user must not miss: the numbers are not what they seem. */
  readonly warn: (text: string) => void;
  readonly started: Date;
  /** Runs another job as a part of this one. */
  readonly run: RunPart;
}

/**
 * Runs a job as a part of another one. Cancelling, devices, notes and warnings are those of the whole.
 * @throws what the job throws; UserError for wrong options
 */
export type RunPart = <K extends Kind>(kind: K, given: GivenFor<K>, around?: PartOptions<K>) => Promise<PartEnd<K>>;

export interface PartOptions<K extends Kind> {
  /** The part's share of the progress, as `inPhases` gives it; without it the part reports none. */
  readonly job?: JobOptions;
  readonly emit?: (event: EventFor<K>) => void;
  /** File for the part's own record; without it none is kept. */
  readonly record?: string;
}

export interface PartEnd<K extends Kind> {
  readonly result: RunResult<K>;
  /** What a record of the part holds as results. */
  readonly results: object;
}

/** A job that is done. `R` is its result. */
export interface RunEnd<R> {
  readonly result: R;
  /** What the record holds as results, where that is more. */
  readonly results?: object;
  /** What the record says beside the results. */
  readonly run: RunDetails;
}

/** The engine's side of a job. */
export type Run<J extends AnyJob> = (
  options: OptionsOf<J>,
  context: JobContext<EventOf<J>>,
) => Promise<RunEnd<ResultOf<J>>>;

/** What the engine needs to know of where to compute. */
export function modelOptions(
  { device, threads, memory }: Pick<ModelOptions, 'device' | 'threads' | 'memory'>,
  { hooks }: Pick<JobContext, 'hooks'>,
): ModelOptions {
  return { device, threads, memory, hooks };
}

/** The options that the record's settings have as they are. */
export function recordedOptions<J extends AnyJob>(job: J, options: OptionsOf<J>): Readonly<Record<string, unknown>> {
  const given = new Map<string, unknown>(Object.entries(options));
  const names = Object.keys(job.options).filter((name) => job.options[name].recorded);
  return Object.fromEntries(names.map((name) => [name, given.get(name)]));
}

/** @param start what `performance.now()` was */
export const secondsSince = (start: number): number => (performance.now() - start) / 1000;
