/** How alike two orders are. */
import { rankBlocks } from './select';

/** Spearman's rank correlation of two scores of the same things; equal scores are in the order of the list. */
export function rankCorrelation(a: readonly number[], b: readonly number[]): number {
  const n = a.length;
  const places = (scores: readonly number[]): number[] => {
    const place = new Array<number>(n);
    rankBlocks(scores).forEach((block, at) => (place[block] = at));
    return place;
  };
  const [x, y] = [places(a), places(b)];
  return n < 2 ? 1 : 1 - (6 * x.reduce((sum, at, i) => sum + (at - y[i]) ** 2, 0)) / (n * (n * n - 1));
}
