/** The order in which a criterion removes blocks, and its tones. Pure. */
import type { ScoreDigest } from '../../../src/protocol/panel';
import { numeric } from '../../../src/format/json';

/**
 * Rank of each block by the criterion, from 1 (removed first). Blocks of equal score are in the order of the model. A
 * criterion that removes in turn ranks the blocks that it removes.
 */
export function ranksOf({ blocks, removals }: Pick<ScoreDigest, 'blocks' | 'removals'>): Map<number, number> {
  if (removals) return new Map(removals.map((block, i) => [block, i + 1]));
  const sorted = [...blocks].sort((a, b) => numeric(a.score) - numeric(b.score) || a.index - b.index);
  return new Map(sorted.map(({ index }, i) => [index, i + 1]));
}

/** Fifths of the ranks, each with a tone of its own (importance.css). */
export const TONES = 5;

/** The tone of a rank, from 0 (goes first) to 4. @param last the last rank */
export const toneOf = (rank: number, last: number): number =>
  Math.min(TONES - 1, Math.floor((TONES * (rank - 1)) / Math.max(1, last)));
