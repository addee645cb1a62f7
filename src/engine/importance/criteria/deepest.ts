/**
 * Removes blocks from the end, keeping the last one: L−2, L−3, …, 0, L−1. It needs no data and no weights. Gromov et
 * al. (2024) found this baseline hard to beat, and Taylor+ chooses the same blocks in all configurations of Shortened
 * LLaMA's paper.
 */
import type { ScoreStored } from '../criterion';

/** @returns for each block its rank in the order of removal (0 first), and the order itself */
export function scoreDeepest(blocks: number): { blocks: { index: number; score: number }[]; order: number[] } {
  const order = [...Array.from({ length: blocks - 1 }, (_, i) => blocks - 2 - i), blocks - 1];
  return { blocks: Array.from({ length: blocks }, (_, index) => ({ index, score: order.indexOf(index) })), order };
}

export const scoreStored: ScoreStored = ({ architecture }) => {
  const { blocks } = scoreDeepest(architecture.layers.length);
  return Promise.resolve({ blocks, settings: {} });
};
