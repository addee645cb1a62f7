/** Titles of jobs for the status bar, notifications and lists. Independent of VS Code. */
import { nameOfGguf } from '../engine/checkpoint/gguf/name';
import { dirname } from 'node:path';
import { nameOfFolder } from '../engine/records/record';
import { numberRanges } from '../format/ranges';
import { l10n } from '../l10n';
import type { JobInfo, JobKind, JobSpec } from '../protocol/jobs';
import { type AnyJob, checkpointsIn } from './define';
import { JOBS } from './definitions';

/** A short title: "Scoring". */
export const jobWord = (kind: JobKind): string => JOBS[kind].noun();

/** A title with the model: "Scoring SmolLM2-135M by magnitude". */
export function jobTitle({ kind, checkpoint, on, options = {} }: TitledJob): string {
  const job: AnyJob = JOBS[kind];
  const title = job.title(checkpointName(checkpoint), options);
  return on === 'cluster' ? l10n.t('{0} on the cluster', title) : title;
}

/**
 * The title of a run that has ended: "Exported SmolLM2-135M without 4–6".
 * @param removed blocks and modules that the model lacks, which tell runs over the same model apart
 */
export function doneTitle(
  { kind, checkpoint, options = {} }: Pick<TitledJob, 'kind' | 'checkpoint' | 'options'>,
  removed: readonly (number | string)[],
): string {
  const job: AnyJob = JOBS[kind];
  return withoutWords(job.done(checkpointName(checkpoint), options), removed);
}

/** "Evaluating SmolLM2-135M without 4–6" */
export function withoutWords(title: string, removed: readonly (number | string)[]): string {
  if (removed.length === 0) return title;
  const blocks = removed.filter((entry) => typeof entry === 'number');
  const parts = blocks.length === removed.length ? numberRanges(blocks, '–') : removed.join(', ');
  return l10n.t('{0} without {1}', title, parts);
}

/** Facts for a job's title. */
export interface TitledJob extends Pick<JobInfo, 'kind' | 'checkpoint' | 'on'> {
  /** The job's options, if known. */
  readonly options?: Readonly<Record<string, unknown>>;
}

/** The same for a job's spec. */
export const titledJob = (spec: JobSpec): TitledJob => ({
  kind: spec.kind,
  checkpoint: checkpointOf(spec),
  options: Object.fromEntries(Object.entries(spec)),
});

/** The checkpoint of a job, as the user gave it; the first one of several. */
export const checkpointOf = (spec: JobSpec): string => checkpointsIn(JOBS[spec.kind], spec)[0] ?? '';

/** The model's name from a path: a folder, or a file in one. */
export function checkpointName(path: string): string {
  if (/\.gguf$/i.test(path)) return nameOfGguf(path);
  return nameOfFolder(WEIGHTS.test(path) ? dirname(path) : path);
}

const WEIGHTS = /\.(safetensors|json)$/;
