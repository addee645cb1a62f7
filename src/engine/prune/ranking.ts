/** From what a criterion found to the blocks that go: each kind of finding has its rule (engine/prune/select). */
import { type AngularWindow, rankBlocks, selectByAngular, selectByGreedy, selectByOrder } from './select';

/** What selection needs of a criterion's findings. */
export type Ranking =
  | { readonly kind: 'scores'; /** One per block. */ readonly scores: readonly number[] }
  | { readonly kind: 'windows'; readonly windows: readonly AngularWindow[] }
  | { readonly kind: 'removals'; /** In the order of removal. */ readonly removals: readonly number[] };

/** The `count` blocks to remove, ascending. Throws `UserError` when the keep-list or the findings don't allow it. */
export function selectByScores(ranking: Ranking, blocks: number, count: number, kept: ReadonlySet<number>): number[] {
  switch (ranking.kind) {
    case 'scores':
      return selectByOrder(rankBlocks(ranking.scores), count, kept);
    case 'windows':
      return selectByAngular(ranking.windows, blocks, count, kept);
    case 'removals':
      return selectByGreedy(ranking.removals, blocks, count, kept);
  }
}
