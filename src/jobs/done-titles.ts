/** Titles of jobs that have ended: "Exported SmolLM2-135M". What runs has the titles of `titles.ts`. */
import { numberRanges } from '../format/ranges';
import { l10n } from '../l10n';
import type { JobKind } from '../protocol/jobs';
import { checkpointName, type TitledJob } from './titles';

type Title = (model: string, given: Readonly<Record<string, unknown>>) => string;

const TITLES: Readonly<Record<JobKind, Title>> = {
  score: (model, { criterion }) =>
    typeof criterion === 'string' ? l10n.t('Scored {0} by {1}', model, criterion) : l10n.t('Scored {0}', model),
  curve: (model) => l10n.t('Measured the curve of {0}', model),
  prune: (model) => l10n.t('Pruned {0}', model),
  heal: (model) => l10n.t('Healed {0}', model),
  iterate: (model) => l10n.t('Pruned {0} iteratively', model),
  width: (model) => l10n.t('Narrowed {0}', model),
  versus: (model) => l10n.t('Compared depth and width pruning of {0}', model),
  retrain: (model) => l10n.t('Retrained {0}', model),
  merge: (model) => l10n.t('Merged an adapter into {0}', model),
  eval: (model) => l10n.t('Evaluated {0}', model),
  tasks: (model) => l10n.t('Evaluated tasks of {0}', model),
  generate: (model) => l10n.t('Generated text with {0}', model),
  samples: (model) => l10n.t('Generated samples with {0}', model),
  bench: (model) => l10n.t('Measured the speed of {0}', model),
  speeds: (model) => l10n.t('Measured the speed of {0}', model),
  grid: (model) => l10n.t('Measured the speed of {0}', model),
  export: (model) => l10n.t('Exported {0}', model),
  verify: (model) => l10n.t('Verified {0}', model),
};

/** @param removed blocks and modules that the model lacks, which tell runs over the same model apart */
export function doneTitle(
  { kind, checkpoint, options = {} }: Pick<TitledJob, 'kind' | 'checkpoint' | 'options'>,
  removed: readonly (number | string)[],
): string {
  return withoutWords(TITLES[kind](checkpointName(checkpoint), options), removed);
}

/** "Evaluating SmolLM2-135M without 4–6" */
export function withoutWords(title: string, removed: readonly (number | string)[]): string {
  if (removed.length === 0) return title;
  const blocks = removed.filter((entry) => typeof entry === 'number');
  const parts = blocks.length === removed.length ? numberRanges(blocks, '–') : removed.join(', ');
  return l10n.t('{0} without {1}', title, parts);
}
