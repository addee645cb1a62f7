/** The criteria as choices. */
import * as vscode from 'vscode';
import type { Criterion } from '../engine/importance/criterion';
import type { Choice } from './steps';

/** @param estimate how long each takes; undefined where that is not shown */
export function criterionChoices(
  estimate: (criterion: Criterion) => string | undefined = () => undefined,
): readonly Choice<Criterion>[] {
  return allChoices().map((choice) => {
    const time = estimate(choice.value);
    return time === undefined ? choice : { ...choice, description: `${choice.description} · ${time}` };
  });
}

function allChoices(): readonly Choice<Criterion>[] {
  const { t } = vscode.l10n;
  return [
    {
      label: t('Perplexity'),
      description: 'ppl',
      detail: t('how much worse a text is predicted without the block (Shortened LLaMA)'),
      value: 'ppl',
    },
    {
      label: 'Taylor',
      description: 'taylor',
      detail: t('how much the loss would change without the weights (Shortened LLaMA)'),
      value: 'taylor',
    },
    {
      label: t('Magnitude'),
      description: 'magnitude',
      detail: t('sum of the absolute weights; needs no text'),
      value: 'magnitude',
    },
    {
      label: t('Block influence'),
      description: 'block-influence',
      detail: t('how much the block turns the hidden states (ShortGPT)'),
      value: 'block-influence',
    },
    {
      label: t('Angular distance'),
      description: 'angular',
      detail: t('across runs of blocks, which go together (Gromov et al.)'),
      value: 'angular',
    },
    {
      label: t('Greedy'),
      description: 'greedy',
      detail: t('perplexity again after every removal (SLEB)'),
      value: 'greedy',
    },
    {
      label: t('Deepest first'),
      description: 'deepest',
      detail: t('the last blocks but the very last; needs no text'),
      value: 'deepest',
    },
  ];
}
