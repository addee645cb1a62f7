/**
 * Writes a checkpoint with weights that differ from its source's: with a merged adapter, healed, or trained. Blocks that
 * the changed model leaves out are left out. One piece of one tensor is in memory at a time.
 */
import type { Reduction } from '../checkpoint/reduction';
import type { Checkpoint } from '../checkpoint/types';
import type { WeightDtype } from '../formats/dtype';
import type { RunRecord } from '../records/record';
import { withChanges } from '../weights/overlay';
import type { KeyedPatch } from '../weights/patches';
import { withWeights } from '../weights/checkpoint';
import { planModel } from './planned-model';
import { type NewCheckpoint, writeCheckpoint, type WriteOptions, type Written } from './write-checkpoint';

/** How the new checkpoint differs from the source. */
export interface Modification {
  /** Blocks of the source that are left out, ascending. */
  readonly removed: readonly number[];
  /** Lists of changes to single weights of the source, each on top of the one before. */
  readonly changes: Iterable<Iterable<KeyedPatch>>;
  /** The type of all weights; each keeps its own when undefined. */
  readonly dtype?: WeightDtype;
  /**
   * Notes for the header of every file. Names and sizes may equal those of the source; the notes tell the two apart.
   */
  readonly notes: Readonly<Record<string, string>>;
  readonly card: (reduction: Reduction) => Promise<string>;
  readonly record: (reduction: Reduction) => RunRecord;
}

/**
 * Writes the modified checkpoint to the folder `out`, which must not exist.
 * @throws UserError when it cannot be written or a number is out of range for its type; CancelledError. No partial
 *   output remains
 */
export async function writeModified(
  source: Checkpoint,
  modification: Modification,
  out: string,
  options: WriteOptions,
): Promise<Reduction & Written> {
  return withWeights(source, async (weights) => {
    const changed = withChanges(weights, modification.changes);
    const { maxShardBytes } = options;
    const { reduction, ...planned } = await planModel(source, changed, { ...modification, maxShardBytes });
    const next: NewCheckpoint = {
      ...planned,
      card: await modification.card(reduction),
      record: () => modification.record(reduction),
    };
    return { ...reduction, ...(await writeCheckpoint(source, next, out, options)) };
  });
}
