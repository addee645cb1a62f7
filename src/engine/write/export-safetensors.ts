/**
 * Writes a model as an ordinary checkpoint: without some blocks, narrower, with healed weights and an adapter in it, all
 * rounded once to the type that is stored.
 */
import { adapterDigest } from '../adapter/adapter';
import type { Reduction } from '../checkpoint/reduction';
import type { WeightDtype } from '../formats/dtype';
import type { OpenedModel } from '../model/opened';
import type { RunRecord } from '../records/record';
import { writeModified } from './modified';
import type { WriteOptions, Written } from './write-checkpoint';

export interface ExportOptions extends WriteOptions {
  /** Blocks that are left out, ascending. */
  readonly removed: readonly number[];
  /** The type of all weights; each keeps its own when undefined. */
  readonly dtype?: WeightDtype;
  readonly card: (reduction: Reduction) => Promise<string>;
  readonly record: (reduction: Reduction) => RunRecord;
}

/**
 * @param out a folder that must not exist
 * @throws UserError when it cannot be written or a number is out of range for its type; CancelledError. No partial
 *   output remains
 */
export function exportSafetensors(
  { checkpoint, changes, adapter, healed }: OpenedModel,
  out: string,
  { removed, dtype, card, record, ...options }: ExportOptions,
): Promise<Reduction & Written> {
  const notes = {
    ...(adapter && { 'coppice.merged': adapterDigest(adapter) }),
    ...(healed && { 'coppice.healed': healed.note.digest }),
  };
  return writeModified(checkpoint, { removed, changes, dtype, notes, card, record }, out, options);
}
