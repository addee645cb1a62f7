/** The criteria as choices of a quick pick. */
import * as vscode from 'vscode';
import type { Criterion } from '../engine/importance/criterion';
import type { Choice } from './steps';

/** @param estimate how long each takes; undefined to show none */
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
      detail: t('Perplexity without the block (Shortened LLaMA)'),
      value: 'ppl',
    },
    {
      label: 'Taylor',
      description: 'taylor',
      detail: t('Estimated loss change if the weights were zeroed (Shortened LLaMA)'),
      value: 'taylor',
    },
    {
      label: t('Magnitude'),
      description: 'magnitude',
      detail: t('Sum of absolute weights. Needs no text.'),
      value: 'magnitude',
    },
    {
      label: t('Block influence'),
      description: 'block-influence',
      detail: t('How much the block changes the hidden states (ShortGPT)'),
      value: 'block-influence',
    },
    {
      label: t('Angular distance'),
      description: 'angular',
      detail: t('Angle across runs of blocks, which are removed together (Gromov et al.)'),
      value: 'angular',
    },
    {
      label: t('Greedy'),
      description: 'greedy',
      detail: t('Perplexity measured again after every removal (SLEB)'),
      value: 'greedy',
    },
    {
      label: t('Deepest first'),
      description: 'deepest',
      detail: t('Removes blocks from the end, keeping the last one. Needs no text.'),
      value: 'deepest',
    },
  ];
}
