/**
 * Formats progress for every place: "block 4 of 30 · 1 % · about 4:40 left". The engine's units, such as row-blocks,
 * mean nothing to users and are not shown. Does not use VS Code.
 */
import { dirname } from 'node:path';
import { nameOfFolder } from '../engine/records/record';
import { l10n } from '../l10n';
import type { Criterion } from '../engine/importance/criterion';
import { JOBS } from '../jobs/definitions';
import type { JobInfo, JobKind, JobSpec, ProgressInfo } from '../protocol/jobs';
import { formatDuration } from './words';

export function progressLine(progress: ProgressInfo): string {
  return [progress.label, ...farAndLeft(progress)].join(' · ');
}

/** The progress in short form: "12 % · about 0:12 left". */
export function progressShort(progress: ProgressInfo): string {
  return farAndLeft(progress).join(' · ');
}

/** The state of a job: waiting behind others, preparing (no progress yet), or its progress. */
export function stateLine({ progress }: Pick<JobInfo, 'progress'>, behind: boolean): string {
  if (behind) return l10n.t('Waiting for its turn');
  return progress ? progressLine(progress) : l10n.t('Preparing…');
}

/** Whole percent of the job; undefined if unknown. */
export function percentOf({ done, total }: ProgressInfo): number | undefined {
  return total > 0 ? Math.floor((100 * done) / total) : undefined;
}

function farAndLeft(progress: ProgressInfo): string[] {
  const percent = percentOf(progress);
  const { secondsLeft } = progress;
  return [
    ...(percent === undefined ? [] : [l10n.t('{0} %', percent)]),
    ...(secondsLeft === undefined ? [] : [l10n.t('about {0} left', formatDuration(secondsLeft))]),
  ];
}

/** The activity of a job in short form. */
export function jobWord(kind: JobKind): string {
  switch (kind) {
    case 'score':
    case 'curve':
      return JOBS[kind].noun();
    case 'evaluate':
      return l10n.t('Evaluating');
    case 'generate':
      return l10n.t('Writing text');
    case 'prune':
      return l10n.t('Pruning');
    case 'merge':
      return l10n.t('Merging');
    case 'retrain':
      return l10n.t('Retraining');
    case 'samples':
      return l10n.t('Writing samples');
    case 'bench':
      return l10n.t('Measuring speed');
  }
}

/** The same with the model, as a title: "Scoring SmolLM2-135M by magnitude". */
export function jobTitle({ kind, checkpoint, criterion }: TitledJob): string {
  const name = checkpointName(checkpoint);
  switch (kind) {
    case 'score':
    case 'curve':
      return JOBS[kind].title(name, { criterion });
    case 'evaluate':
      return l10n.t('Evaluating {0}', name);
    case 'generate':
      return l10n.t('Writing text with {0}', name);
    case 'prune':
      return l10n.t('Pruning {0}', name);
    case 'merge':
      return l10n.t('Merging an adapter into {0}', name);
    case 'retrain':
      return l10n.t('Retraining {0}', name);
    case 'samples':
      return l10n.t('Writing samples with {0}', name);
    case 'bench':
      return l10n.t('Measuring the speed of {0}', name);
  }
}

/** The parts of a job that its title needs. */
export interface TitledJob extends Pick<JobInfo, 'kind' | 'checkpoint'> {
  /** For 'score' only. */
  readonly criterion?: Criterion;
}

/** The same for the spec of a job. Samples take the title of their first column. */
export const titledJob = (spec: JobSpec): TitledJob => ({
  kind: spec.kind,
  checkpoint: 'columns' in spec ? (spec.columns[0]?.checkpoint ?? '') : spec.checkpoint,
  ...(spec.kind === 'score' && { criterion: spec.criterion }),
});

/** Name of the model at a path: a folder, or a file in one. */
export const checkpointName = (path: string): string => nameOfFolder(WEIGHTS.test(path) ? dirname(path) : path);

const WEIGHTS = /\.(safetensors|json)$/;
