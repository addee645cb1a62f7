/** The scores of a round by the numbers of the whole model's blocks. */
import type { Ranking } from '../importance/ranking';
import { type CriterionResult, setOf } from '../importance/result';
import type { ScoredBlock } from './result';

/** The scored blocks of a criterion that scores blocks; of one that removes in turn, the removals. */
export function scoredBlocks({ blocks, removals, windows, search, energy }: CriterionResult): ScoredBlock[] {
  if (blocks) {
    return blocks.map(({ index, score, meanNll, kl }) => {
      return { block: index, score, ...(meanNll !== undefined && { meanNll }), ...(kl !== undefined && { kl }) };
    });
  }
  if (removals) {
    return removals.map(({ block, meanNll, kl }) => ({
      block,
      score: kl ?? meanNll,
      meanNll,
      ...(kl !== undefined && { kl }),
    }));
  }
  const set = setOf({ search, energy });
  if (set) return set.blocks.map((block) => ({ block, score: set.kl, meanNll: set.meanNll, kl: set.kl }));
  return (windows ?? []).filter(({ size }) => size === 1).map(({ start, score }) => ({ block: start, score }));
}

/** Scores of every block of the whole model. Those that are gone have none, and are not chosen. */
export function overAll(scored: readonly ScoredBlock[], { baseline }: Ranking, blocks: number): Ranking {
  const scores = new Array<number>(blocks).fill(NaN);
  for (const { block, score } of scored) scores[block] = score;
  return { kind: 'scores', scores, baseline };
}
