/** What `coppice prune` prints. */
import { describeReduction, describeSizes } from '../../engine/checkpoint/reduction';
import { removedJson } from '../../engine/model/view';
import { formatSeconds } from '../../format/durations';
import { formatCount, formatNumber, formatPercent } from '../../format/numbers';
import type { PruneResult } from '../../jobs/results/prune';
import { table } from '../terminal/text';
import type { Page } from './page';
import { leftOutLines } from './score';

export const prunePage: Page<'prune'> = ({ mergekit, llamaCpp }, { shown }) => ({
  page: (result) => [
    ...(result.parts === undefined
      ? describeReduction(result)
      : [...partLines(result.parts), ...describeSizes(result)]),
    ...measuredLines(result),
    ...roundLines(result),
    ...healingLines(result),
    result.out === null
      ? 'written     nothing: this was a dry run'
      : `written     ${shown(result.out)} in ${formatSeconds(result.seconds)}`,
    ...(result.leftOut === undefined ? [] : leftOutLines(result.leftOut)),
    ...[mergekit, llamaCpp].flatMap((file) => (file === undefined ? [] : [`recipe      ${shown(file)}`])),
  ],
});

/** A table of the parts that would go. */
const partLines = (parts: NonNullable<PruneResult['parts']>): string[] => [
  ...table(
    ['part', '>parameters', '>bytes'],
    parts.map((each) => [removedJson([each]).join(), formatCount(each.parameters), formatCount(each.bytes)]),
  ),
  '',
];

/** "measured    perplexity 91.2, KL divergence 0.312 without them" */
function measuredLines({ measured }: Pick<PruneResult, 'measured'>): string[] {
  if (measured === undefined) return [];
  const { ppl, kl } = measured;
  const divergence = kl === undefined ? '' : `, KL divergence ${formatNumber(Number(kl), 3)}`;
  return [`measured    perplexity ${formatNumber(Number(ppl), 4)}${divergence} without them`];
}

/** "round 1     13, 14: perplexity 91.2, KL divergence 0.312 after healing" */
function roundLines({ rounds = [] }: Pick<PruneResult, 'rounds'>): string[] {
  return rounds.map(
    ({ removed, ppl = NaN, kl = NaN }, r) =>
      `${`round ${r + 1}`.padEnd(12)}${removed.join(', ')}: perplexity ${formatNumber(ppl, 4)}, KL divergence ${formatNumber(kl, 3)} after healing`,
  );
}

function healingLines({ healing }: Pick<PruneResult, 'healing'>): string[] {
  if (healing === undefined) return [];
  const { heldOut, fit, method, weights } = healing;
  const { before, after } = heldOut ?? fit;
  if (weights === 'plain') return ['healed      no: the plain weights are nearer to the original'];
  const change = (name: 'ppl' | 'kl', digits: number): string =>
    `${formatNumber(Number(before[name]), digits)} → ${formatNumber(Number(after[name]), digits)}`;
  const agreement = [before, after].map(({ top1 }) => formatPercent(Number(top1))).join(' → ');
  const changes = `perplexity ${change('ppl', 4)}, KL divergence ${change('kl', 3)}, same next token ${agreement}`;
  return [`healed      by ${method}: ${changes}`];
}
