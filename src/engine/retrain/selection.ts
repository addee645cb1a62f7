/** The blocks that a run trains. The cuts are those of the run and those of the run that wrote the checkpoint. */
import { keptBlocks } from '../checkpoint/block-list';
import type { Model } from '../model/model';
import { originOf } from '../records/origin';
import { trainedBlocks, type Where } from './where';

export interface TrainedSelection {
  readonly where: Where;
  /** Numbered without the blocks that are left out, ascending. */
  readonly blocks: readonly number[];
}

/**
 * @param removed blocks of the checkpoint that are left out, ascending
 * @throws UserError for `cuts` when there is none
 */
export async function selectionAt(
  where: Where,
  { architecture: { layers }, checkpoint }: Pick<Model, 'architecture' | 'checkpoint'>,
  removed: readonly number[],
): Promise<TrainedSelection> {
  const kept = keptBlocks(layers.length, removed);
  const origin = await originOf(checkpoint, layers.length);
  const numbers = origin ? kept.map((block) => origin.kept[block]) : kept;
  return { where, blocks: trainedBlocks(where, numbers, origin?.blocks ?? layers.length) };
}
