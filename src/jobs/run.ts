/** Context and result of a job. */
import type { JobOptions } from '../engine/progress';
import type { RunDetails } from '../engine/records/details';
import type { ModelHooks, ModelOptions } from '../engine/model/model';
import type { DeviceReport } from '../engine/onnx/device';
import type { AnyJob, EventOf, OptionsOf, ResultOf } from './define';
import type { EventFor, GivenFor, Kind } from './kinds';
import type { RunResult } from './runs';

/** The context of a running job. `E` is the type of its events. */
export interface JobContext<E = never> {
  /** Last argument of every long operation of the engine: cancelling and progress. */
  readonly job: JobOptions;
  /** Hooks for every model that the job opens. */
  readonly hooks: ModelHooks;
  /** Sends an event to the caller during the run. */
  readonly emit: (event: E) => void;
  /** Reports a note for the user. */
  readonly note: (text: string) => void;
  /** Reports a warning: the user must not miss that the numbers are misleading. */
  readonly warn: (text: string) => void;
  readonly started: Date;
  /** Runs another job as a part of this one. */
  readonly run: RunPart;
}

/**
 * Runs a job as a part of another one. Cancellation, devices, notes and warnings are those of the whole.
 * @throws errors of the job; UserError for wrong options
 */
export type RunPart = <K extends Kind>(kind: K, given: GivenFor<K>, around?: PartOptions<K>) => Promise<PartEnd<K>>;

export interface PartOptions<K extends Kind> {
  /** The part's share of the progress, from `inPhases`; without it the part reports no progress. */
  readonly job?: JobOptions;
  readonly emit?: (event: EventFor<K>) => void;
  /** File for the part's own record; without it no record is written. */
  readonly record?: string;
}

export interface PartEnd<K extends Kind> {
  readonly result: RunResult<K>;
  /** The results in the part's record. */
  readonly results: object;
}

/** A finished job. `R` is the type of its result. */
export interface RunEnd<R> {
  readonly result: R;
  /** The record's results, if they have more than `result`. */
  readonly results?: object;
  /** The record's part besides the results. */
  readonly run: RunDetails;
}

/** The engine's side of a job. */
export type Run<J extends AnyJob> = (
  options: OptionsOf<J>,
  context: JobContext<EventOf<J>>,
) => Promise<RunEnd<ResultOf<J>>>;

/** Compute options of a job. */
export interface ComputeOptions extends Pick<ModelOptions, 'device' | 'threads' | 'memory'> {
  readonly quantizedFolder?: string;
  readonly quantizedLimit?: number;
}

/** The engine's compute settings. */
export function modelOptions(
  { device, threads, memory, quantizedFolder, quantizedLimit }: ComputeOptions,
  { hooks, job }: Pick<JobContext, 'hooks'> & Partial<Pick<JobContext, 'job'>>,
): ModelOptions {
  const quantized = { folder: quantizedFolder, limit: quantizedLimit };
  return { device, threads, memory, quantized, ...(job && { opening: job }), hooks };
}

/** The options that the record's settings include unchanged. */
export function recordedOptions<J extends AnyJob>(job: J, options: OptionsOf<J>): Readonly<Record<string, unknown>> {
  const given = new Map<string, unknown>(Object.entries(options));
  const names = Object.keys(job.options).filter((name) => job.options[name].recorded);
  return Object.fromEntries(names.map((name) => [name, given.get(name)]));
}

/** @param start value of `performance.now()` */
export const secondsSince = (start: number): number => (performance.now() - start) / 1000;

/** Hooks that remember the device, and pass it on. */
export interface DeviceWatch {
  readonly hooks: ModelHooks;
  /** The last one that was chosen; undefined before. */
  readonly device: () => DeviceReport | undefined;
}

export function watchDevice(hooks: ModelHooks): DeviceWatch {
  let device: DeviceReport | undefined;
  const onDevice = (report: DeviceReport): void => {
    device = report;
    hooks.onDevice?.(report);
  };
  return { hooks: { ...hooks, onDevice }, device: () => device };
}
