/** From a criterion's result to the blocks to remove. Each kind of result has its own rule (select.ts). */
import { UserError } from '../errors';
import { type AngularWindow, rankBlocks, selectByAngular, selectByGreedy, selectByOrder, selectBySet } from './select';

/** The part of a criterion's result that selection needs. */
export type Ranking = (
  | { readonly kind: 'scores'; /** One per block. */ readonly scores: readonly number[] }
  | { readonly kind: 'windows'; readonly windows: readonly AngularWindow[] }
  | {
      readonly kind: 'removals';
      /** In the order of removal. */
      readonly removals: readonly number[];
      /** Mean loss after each removal, if known. */
      readonly losses?: readonly (number | undefined)[];
    }
  | {
      /** A set that was chosen as a whole: it has no order, and holds for its own number of blocks only. */
      readonly kind: 'set';
      /** Ascending. */
      readonly set: readonly number[];
      /** Divergence of the model without them, if known. */
      readonly kl?: number;
    }
) & {
  /** Mean loss or perplexity of the whole model, if measured. */
  readonly baseline?: number;
};

/** Thrown when the scores that decide the choice are not finite. */
export class BrokenScores extends UserError {}

/**
 * The `count` blocks to remove, ascending.
 * @throws UserError when the keep-list or the result does not allow it; BrokenScores when the whole model's loss, or a
 *   score of the chosen blocks, is not finite, because such an order means nothing
 */
export function selectByScores(ranking: Ranking, blocks: number, count: number, kept: ReadonlySet<number>): number[] {
  const { baseline } = ranking;
  if (baseline !== undefined && !Number.isFinite(baseline)) {
    throw brokenScores(`the loss of the original is ${baseline}`);
  }
  const chosen = select(ranking, blocks, count, kept);
  const broken = brokenReason(ranking, chosen);
  if (broken !== undefined) throw brokenScores(broken);
  return chosen;
}

function select(ranking: Ranking, blocks: number, count: number, kept: ReadonlySet<number>): number[] {
  switch (ranking.kind) {
    case 'scores':
      return selectByOrder(rankBlocks(ranking.scores), count, kept);
    case 'windows':
      return selectByAngular(ranking.windows, blocks, count, kept);
    case 'removals':
      return selectByGreedy(ranking.removals, blocks, count, kept);
    case 'set':
      return selectBySet(ranking.set, blocks, count, kept);
  }
}

/** The scores of the chosen blocks that are not finite, in words; undefined when all are finite. */
function brokenReason(ranking: Ranking, chosen: readonly number[]): string | undefined {
  switch (ranking.kind) {
    case 'scores': {
      const block = chosen.find((index) => !Number.isFinite(ranking.scores[index]));
      return block === undefined
        ? undefined
        : `block ${block} would be removed, and its score is ${ranking.scores[block]}`;
    }
    case 'windows': {
      const { score } = ranking.windows.find(({ start, size }) => start === chosen[0] && size === chosen.length)!;
      return Number.isFinite(score) ? undefined : `the distance across the blocks to remove is ${score}`;
    }
    case 'removals': {
      const { removals, losses = [] } = ranking;
      const at = removals.findIndex((block, i) => chosen.includes(block) && !Number.isFinite(losses[i] ?? 0));
      return at < 0 ? undefined : `block ${removals[at]} would be removed, and the loss without it is ${losses[at]}`;
    }
    case 'set': {
      const { kl = 0 } = ranking;
      return Number.isFinite(kl) ? undefined : `the KL divergence of the model without these blocks is ${kl}`;
    }
  }
}

/** The error for scores that mean nothing. */
export function brokenScores(why: string): BrokenScores {
  return new BrokenScores(
    'these scores cannot choose blocks',
    why,
    'Look for the broken weight: scoring names the block after which the numbers break. Or choose the blocks by hand.',
  );
}
