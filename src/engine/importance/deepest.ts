/**
 * The deepest blocks first, but the last one last: L−2, L−3, …, 0, L−1. No data, no weights; the baseline that later work
 * found hard to beat, and what Taylor+ comes to in all of the paper's configurations (spec §4, §6.4).
 */

/** @returns per block the rank at which it goes, 0 first, and the order itself */
export function scoreDeepest(blocks: number): { blocks: { index: number; score: number }[]; order: number[] } {
  const order = [...Array.from({ length: blocks - 1 }, (_, i) => blocks - 2 - i), blocks - 1];
  return { blocks: Array.from({ length: blocks }, (_, index) => ({ index, score: order.indexOf(index) })), order };
}
