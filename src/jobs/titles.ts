/** Jobs in words: for the status bar, for notifications, for lists. Knows nothing of VS Code. */
import { dirname } from 'node:path';
import { nameOfFolder } from '../engine/records/record';
import type { JobInfo, JobKind, JobSpec } from '../protocol/jobs';
import { type AnyJob, checkpointsIn } from './define';
import { JOBS } from './definitions';

/** What a job does, where room is short: "Scoring". */
export const jobWord = (kind: JobKind): string => JOBS[kind].noun();

/** The same with the model, as a title: "Scoring SmolLM2-135M by magnitude". */
export function jobTitle({ kind, checkpoint, options = {} }: TitledJob): string {
  const job: AnyJob = JOBS[kind];
  return job.title(checkpointName(checkpoint), options);
}

/** What a title says of a job. */
export interface TitledJob extends Pick<JobInfo, 'kind' | 'checkpoint'> {
  /** The job's options, where they are known. */
  readonly options?: Readonly<Record<string, unknown>>;
}

/** The same of a job by its spec. */
export const titledJob = (spec: JobSpec): TitledJob => ({
  kind: spec.kind,
  checkpoint: checkpointOf(spec),
  options: Object.fromEntries(Object.entries(spec)),
});

/** The checkpoint that a job reads, as the user named it; of several the first one's. */
export const checkpointOf = (spec: JobSpec): string => checkpointsIn(JOBS[spec.kind], spec)[0] ?? '';

/** The model that a job's path names: a folder, or a file in one. */
export const checkpointName = (path: string): string => nameOfFolder(WEIGHTS.test(path) ? dirname(path) : path);

const WEIGHTS = /\.(safetensors|json)$/;
