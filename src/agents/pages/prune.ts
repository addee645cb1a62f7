/** What pruning and healing did, for an agent. */
import { describeReduction } from '../../engine/checkpoint/reduction';
import { arithmeticWords } from '../../format/arithmetic';
import { formatSeconds } from '../../format/durations';
import { formatNumber, formatPercent } from '../../format/numbers';
import { checkpointName } from '../../jobs/titles';
import type { HealNumbers } from '../../jobs/results/common';
import type { HealResult } from '../../jobs/results/heal';
import { inLine } from '../answer';
import type { ResultPage } from '.';

export const prunePage: ResultPage<'prune'> = ({ result }, { checkpoint }) => [
  `Written: ${result.out!}, in ${formatSeconds(result.seconds)}. ${inLine(checkpointName(checkpoint))} itself did not change.`,
  ...describeReduction(result),
  ...(result.healing ? healingLines(result.healing) : ['Not healed: coppice_evaluate says what it costs.']),
];

export const healPage: ResultPage<'heal'> = ({ result }, { checkpoint }) => {
  const { removed, out, seconds, device, precision } = result;
  return [
    `${inLine(checkpointName(checkpoint))} without ${removed.join(', ')}, healed in ${formatSeconds(seconds)}, ` +
      arithmeticWords(precision, device),
    ...healingLines(result),
    out === null ? 'Nothing was written: give "out" for a checkpoint.' : `Written: ${out}.`,
  ];
};

function healingLines({ method, heldOut, fit, weights, text, tokens }: HealResult): string[] {
  const { before, after, rows } = heldOut ?? fit;
  const where = `${rows} rows of ${text.length} tokens of ${inLine(text.name)}, ${heldOut ? 'not fitted' : 'fitted'}`;
  return [
    weights === 'healed'
      ? `healed by ${method} on ${tokens} tokens of ${inLine(text.name)}`
      : `tried to heal by ${method}, but the plain weights are nearer to the original, so they are kept`,
    `beside the original, on ${where}:`,
    `  perplexity ${change(before, after, 'ppl')}; KL divergence ${change(before, after, 'kl')} nats`,
    `  same next token ${formatPercent(Number(before.top1))} → ${formatPercent(Number(after.top1))}`,
  ];
}

const change = (before: HealNumbers, after: HealNumbers, name: 'ppl' | 'kl'): string =>
  `${formatNumber(Number(before[name]), 4)} → ${formatNumber(Number(after[name]), 4)}`;
