/** Jobs in words: for the status bar, for notifications, for lists. Knows nothing of VS Code. */
import { dirname } from 'node:path';
import { nameOfFolder } from '../engine/records/record';
import { l10n } from '../l10n';
import type { JobInfo, JobKind, JobSpec } from '../protocol/jobs';
import type { AnyJob } from './define';
import { JOBS } from './definitions';
import type { Kind } from './kinds';

/** Kinds that are not defined in `definitions` yet. */
type OtherKind = Exclude<JobKind, Kind>;

const isDefined = (kind: JobKind): kind is Kind => Object.hasOwn(JOBS, kind);

/** What a job does, where room is short: "Scoring". */
export const jobWord = (kind: JobKind): string => (isDefined(kind) ? JOBS[kind].noun() : otherWord(kind));

/** The same with the model, as a title: "Scoring SmolLM2-135M by magnitude". */
export function jobTitle({ kind, checkpoint, options = {} }: TitledJob): string {
  const name = checkpointName(checkpoint);
  if (!isDefined(kind)) return otherTitle(kind, name);
  const job: AnyJob = JOBS[kind];
  return job.title(name, options);
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
export const checkpointOf = (spec: JobSpec): string =>
  'columns' in spec ? (spec.columns[0]?.checkpoint ?? '') : spec.checkpoint;

/** The model that a job's path names: a folder, or a file in one. */
export const checkpointName = (path: string): string => nameOfFolder(WEIGHTS.test(path) ? dirname(path) : path);

const WEIGHTS = /\.(safetensors|json)$/;

function otherWord(kind: OtherKind): string {
  switch (kind) {
    case 'samples':
      return l10n.t('Generating samples');
    case 'bench':
      return l10n.t('Measuring speed');
  }
}

function otherTitle(kind: OtherKind, name: string): string {
  switch (kind) {
    case 'samples':
      return l10n.t('Generating samples with {0}', name);
    case 'bench':
      return l10n.t('Measuring the speed of {0}', name);
  }
}
