/**
 * Which blocks are trained. Removing blocks hurts most right before and right after a cut: there the residual stream
 * jumps. Pure: job definitions use the list.
 */
import { UserError } from '../errors';
import { option } from '../option-token';

/** all: every kept block; cuts: those next to a cut; last3: the last three. */
export const WHERE = ['all', 'cuts', 'last3'] as const;

export type Where = (typeof WHERE)[number];

/** Number of blocks of `last3`. */
const LAST = 3;

/**
 * The blocks to train.
 * @param kept the model's blocks, by their numbers in the whole model of `blocks` blocks; ascending
 * @returns positions in `kept`, ascending
 * @throws UserError for `cuts` when nothing was removed
 */
export function trainedBlocks(where: Where, kept: readonly number[], blocks: number): number[] {
  const positions = [...kept.keys()];
  if (where === 'all') return positions;
  if (where === 'last3') return positions.slice(-LAST);
  if (kept.length === blocks) {
    throw new UserError(
      'Cannot train at the cuts',
      'the model has no cut: no block is left out, and no record in its folder says which were removed before',
      `Name the blocks with ${option('remove')}, or give another value of ${option('where')}.`,
    );
  }
  const jumps = (before: number | undefined = -1, after: number | undefined = blocks): boolean => after !== before + 1;
  return positions.filter((k) => jumps(kept[k - 1], kept[k]) || jumps(kept[k], kept[k + 1]));
}
