/**
 * Writes a checkpoint with weights that differ from its source's: with a merged adapter, healed, or trained. Blocks that
 * the changed model leaves out are left out. One piece of one tensor is in memory at a time.
 */
import { requireAttentionLeft } from '../checkpoint/kinds/parts';
import type { Reduction } from '../checkpoint/reduction';
import type { Checkpoint } from '../checkpoint/types';
import type { WeightDtype } from '../formats/dtype';
import { recordTextInModel, type RunRecord } from '../records/record';
import { withChanges } from '../weights/overlay';
import type { KeyedPatch } from '../weights/patches';
import { withWeights } from '../weights/checkpoint';
import { planModel } from './planned-model';
import {
  companionBytes,
  companionsOf,
  type NewCheckpoint,
  writeCheckpoint,
  type WriteOptions,
  type Written,
} from './write-checkpoint';

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
  if (source.architecture) requireAttentionLeft(source.architecture.layers, modification.removed);
  return withWeights(source, async (weights) => {
    const changed = withChanges(weights, modification.changes);
    const { maxShardBytes } = options;
    const { reduction: removal, ...planned } = await planModel(source, changed, { ...modification, maxShardBytes });
    const companions = await companionsOf(source);
    const bytes = planned.plan.bytes + Buffer.byteLength(planned.config) + companionBytes(companions);
    const reduction = await withSize(removal, bytes, modification);
    const next: NewCheckpoint = {
      ...planned,
      companions,
      card: await modification.card(reduction),
      record: () => modification.record(reduction),
    };
    return { ...reduction, ...(await writeCheckpoint(source, next, out, options)) };
  });
}

/** Card and record say how large the model is, and are part of it. A number of other digits can change the size once more. */
async function withSize(
  removal: Reduction,
  bytes: number,
  { card, record }: Pick<Modification, 'card' | 'record'>,
): Promise<Reduction> {
  let reduction = { ...removal, bytesAfter: bytes };
  for (let round = 0; round < 3; round++) {
    const notes = Buffer.byteLength(await card(reduction)) + Buffer.byteLength(recordTextInModel(record(reduction)));
    reduction = { ...reduction, bytesAfter: bytes + notes };
  }
  return reduction;
}
