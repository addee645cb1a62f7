/** Which of the teacher's states the student's state before its last block is compared with. */
import { keptBlocks } from '../../checkpoint/block-list';
import type { Model } from '../../model/model';
import { originOf } from '../../records/origin';

/**
 * The teacher's block at the place of the student's last one, so that both states are at the same depth of the whole
 * model. If nothing says where the student's blocks were, it is the teacher's last one.
 * @param removed blocks that the student leaves out, ascending
 */
export async function matchingBlock(
  { architecture: { layers: taught } }: Pick<Model, 'architecture'>,
  { architecture: { layers }, checkpoint }: Pick<Model, 'architecture' | 'checkpoint'>,
  removed: readonly number[],
): Promise<number> {
  const last = keptBlocks(layers.length, removed).at(-1)!;
  if (layers.length === taught.length) return last;
  const origin = await originOf(checkpoint, layers.length);
  return origin?.blocks === taught.length ? origin.kept[last] : taught.length - 1;
}
