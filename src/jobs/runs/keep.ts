/** Blocks to keep that the model must have. */
import { requireBlocks } from '../../engine/checkpoint/block-list';
import { OptionError, UserError } from '../../engine/errors';
import { option } from '../../engine/option-token';

/**
 * @param blocks number of blocks of the model
 * @throws OptionError when a block of the list does not exist
 */
export function requireKept(keep: readonly number[], blocks: number): void {
  try {
    requireBlocks(keep, blocks, option('keep'));
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    const { what, why, action } = error.texts;
    throw new OptionError(what, why, action, { cause: error });
  }
}
