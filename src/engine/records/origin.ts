/** Which blocks of the model that it was pruned from a checkpoint has, from the record in its folder. */
import type { Checkpoint } from '../checkpoint/types';
import { keptBlocks } from '../checkpoint/block-list';
import { entries } from './fields';
import { recordAt } from './in-gguf';

export interface Origin {
  /** The checkpoint's blocks, by their numbers in the model before the removal; ascending. */
  readonly kept: readonly number[];
  /** Blocks of that model. */
  readonly blocks: number;
}

/**
 * The numbers that the blocks of a checkpoint had before the run that wrote it removed others.
 * @param blocks of the checkpoint
 * @returns undefined when there is no record, it removed nothing, or it is about another number of blocks
 */
export async function originOf({ home }: Pick<Checkpoint, 'home'>, blocks: number): Promise<Origin | undefined> {
  const record = await recordAt(home);
  const removed = entries(record?.results.removed);
  const before = blocks + removed.length;
  const isList = removed.every((block) => Number.isSafeInteger(block) && (block as number) >= 0);
  if (removed.length === 0 || !isList) return undefined;
  const kept = keptBlocks(before, removed as readonly number[]);
  return kept.length === blocks ? { kept, blocks: before } : undefined;
}
