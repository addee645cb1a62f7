/** What a job gets from the sidecar and gives back to it; one file a kind of job beside this one. */
import type { JobOptions } from '../../engine/progress';
import type { RunDetails } from '../../engine/records/details';
import type { ModelHooks, ModelOptions } from '../../engine/model/model';
import type { ModelSelection } from '../../engine/model/opened';
import type { Compute, EventOf, JobKind, ModelSource, ResultOf } from '../../protocol/jobs';

/** The world around a running job. */
export interface JobContext<K extends JobKind> {
  /** Last argument of every long operation of the engine. */
  readonly job: JobOptions;
  /** For every model that the job opens. */
  readonly hooks: ModelHooks;
  readonly emit: (event: EventOf<K>) => void;
  /** Something that the user may want to know. */
  readonly note: (text: string) => void;
  /** Something that the user must not miss: the numbers are not what they seem. */
  readonly warn: (text: string) => void;
  readonly started: Date;
}

/** A job that is done. */
export interface JobEnd<K extends JobKind> {
  readonly result: ResultOf<K>;
  /** What the record holds as results, where that is more. */
  readonly results?: object;
  /** What the record says beside the results. */
  readonly run: RunDetails;
}

/** One kind of job. */
export type Job<K extends JobKind, Spec> = (spec: Spec, context: JobContext<K>) => Promise<JobEnd<K>>;

/** What the engine needs to know of where to compute. */
export function modelOptions({ device, threads, memory }: Compute, hooks: ModelHooks): ModelOptions {
  return { device, threads, memory, hooks };
}

/** The model that a job asks for, as the engine opens it. */
export function wanted({ remove, adapter, otherBase }: Omit<ModelSource, 'checkpoint'>): ModelSelection {
  return { remove, adapter, otherBase };
}

export const secondsSince = (start: number): number => (performance.now() - start) / 1000;
