/** What `coppice prune` prints. */
import { describeReduction } from '../../engine/checkpoint/reduction';
import { formatSeconds } from '../../format/durations';
import { formatNumber, formatPercent } from '../../format/numbers';
import type { PruneResult } from '../../jobs/results/prune';
import type { Page } from './page';

export const prunePage: Page<'prune'> = ({ mergekit, llamaCpp }, { shown }) => ({
  page: (result) => [
    ...describeReduction(result),
    ...roundLines(result),
    ...healingLines(result),
    result.out === null
      ? 'written     nothing: this was a dry run'
      : `written     ${shown(result.out)} in ${formatSeconds(result.seconds)}`,
    ...[mergekit, llamaCpp].flatMap((file) => (file === undefined ? [] : [`recipe      ${shown(file)}`])),
  ],
});

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
