/**
 * Groups of runs of rows. Sums over rows are taken group by group, and those of the groups are added in their order: so a healing
 * that several processes share, each with some groups, adds the very numbers of one process. A group has runs of one use. Pure:
 * estimates load it too.
 */
import type { Architecture } from '../checkpoint/architecture';
import { layerParameters } from '../checkpoint/parameters';
import type { RowGroup } from './rows';

/** Tokens of a run: sums of products cost the less, the more tokens are in one. */
const TOKENS_PER_RUN = 2048;
/** Multiplications of a run, so that a run stays about a second in wide models. */
const PRODUCTS_PER_RUN = 1.5e11;

/** Tokens of a run of rows while a model is healed. */
export function tokensPerRun(architecture: Architecture): number {
  const perToken = 2 * Math.max(...layerParameters(architecture));
  return Math.max(256, Math.min(TOKENS_PER_RUN, Math.floor(PRODUCTS_PER_RUN / perToken)));
}

/** A run, as far as its group matters. */
interface Run extends Pick<RowGroup, 'use'> {
  readonly rows: number;
}

/**
 * Most groups of a use: the sums of each are a file where parts share a healing. With so many runs or fewer, as 65,536 tokens of a
 * small model have, each run is a group, and adding is what it would be without groups.
 */
export const MOST_GROUPS = 32;

/** The number of each run's group, from 0 on. */
export function groupsOf(runs: readonly Run[]): number[] {
  const numbers: number[] = [];
  let group = -1;
  let [inGroup, most] = [0, 0];
  for (const [p, { use }] of runs.entries()) {
    if (use !== runs[p - 1]?.use) {
      most = Math.ceil(runs.filter((other) => other.use === use).length / MOST_GROUPS);
      inGroup = most;
    }
    if (inGroup === most) {
      group++;
      inGroup = 0;
    }
    numbers.push(group);
    inGroup++;
  }
  return numbers;
}

/** Rows of each group: what it costs a part. */
export function groupCosts(runs: readonly Run[], groups: readonly number[]): number[] {
  const costs: number[] = [];
  for (const [p, { rows }] of runs.entries()) costs[groups[p]] = (costs[groups[p]] ?? 0) + rows;
  return costs;
}

/**
 * The number of each run's piece, from 0 on: runs of one group, of no more tokens than a run of a small model has, whose products are
 * taken together. In wide models a run has few tokens, so that it stays about a second; but adding products in float64 takes as
 * long as those of a few hundred tokens.
 * @param length tokens of a row
 */
export function piecesOf(runs: readonly Run[], groups: readonly number[], length: number): number[] {
  let piece = -1;
  let tokens = 0;
  return runs.map(({ rows }, p) => {
    const own = rows * length;
    if (groups[p] !== groups[p - 1] || tokens + own > TOKENS_PER_RUN) {
      piece++;
      tokens = 0;
    }
    tokens += own;
    return piece;
  });
}
