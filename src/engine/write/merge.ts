/**
 * Writes a normal checkpoint with an adapter in its weights: W + (α/r) B A, rounded once to the stored type, where W may
 * be healed. Blocks that the adapter leaves out are left out, so a retrained view is pruned and merged in one step. One
 * piece of one tensor is in memory at a time.
 */
import type { WeightDtype } from '../formats/dtype';
import type { Checkpoint } from '../checkpoint/types';
import { calibrationsOf } from '../records/calibrations';
import { inheritedFields } from './card';
import type { Reduction } from '../checkpoint/reduction';
import type { WriteOptions, Written } from './write-checkpoint';
import { recordAt } from '../records/in-gguf';
import { modelInput, newRecord, type RunRecord } from '../records/record';
import { type Adapter, adapterDigest, adapterPatches } from '../adapter/adapter';
import { targetOf } from '../adapter/names';
import { requireArchitecture } from '../checkpoint/open';
import { widthSetting } from '../checkpoint/width';
import { removedFrom } from '../model/view';
import type { PatchFile } from '../weights/patch-file';
import { writableBlocks } from './healed';
import { mergeCard } from './merge-card';
import { writeModified } from './modified';

export interface MergeOptions extends WriteOptions {
  /** The type of all weights in the new checkpoint; each keeps its own when undefined. */
  readonly dtype?: WeightDtype;
  /** The record of the run that trained the adapter and merges it directly; the merge makes its own when undefined. */
  readonly record?: (reduction: Reduction) => RunRecord;
  /** The healed weights that the adapter lies on; the checkpoint's own when undefined. */
  readonly healed?: Pick<PatchFile, 'note' | 'patches'>;
  /** The record of the run that trained the adapter, which the card quotes; undefined if unknown. */
  readonly training?: RunRecord;
}

export interface MergeResult extends Reduction, Written {
  readonly seconds: number;
}

/**
 * Merges the adapter, as `readAdapter` read it for this checkpoint, and writes the result to the folder `out`, which
 * must not exist.
 * @throws UserError when it cannot be written or a number is out of range for its type; CancelledError. No partial
 *   output remains
 */
export async function mergeAdapter(
  checkpoint: Checkpoint,
  adapter: Adapter,
  out: string,
  options: MergeOptions = {},
): Promise<MergeResult> {
  const { dtype, healed, provenance = {} } = options;
  const { started = new Date() } = provenance;
  const clock = performance.now();
  const digest = adapterDigest(adapter);
  const without = removedFrom(healed?.note.removed ?? [], requireArchitecture(checkpoint).layers.length);
  const removed = writableBlocks([...without, ...adapter.removed.map((block) => ({ block }))]);
  const settings = {
    ...provenance.settings,
    dtype,
    rank: adapter.rank,
    alpha: adapter.alpha,
    targets: adapter.targets.map(targetOf),
    removed,
    ...(healed && { healed: healed.note.digest }),
    ...widthSetting(checkpoint),
  };
  const inputs = [modelInput(checkpoint), ...(provenance.inputs ?? []), ...(await calibrationsOf(checkpoint))];
  const ownRecord = (reduction: Reduction): RunRecord =>
    newRecord({
      ...provenance,
      kind: 'merge',
      inputs,
      settings: { ...settings, adapter: digest },
      results: reduction,
      started,
    });
  const written = await writeModified(
    checkpoint,
    {
      removed,
      changes: [...(healed ? [healed.patches] : []), adapterPatches(adapter)],
      dtype,
      notes: { 'coppice.merged': digest, ...(healed && { 'coppice.healed': healed.note.digest }) },
      card: async (reduction) =>
        mergeCard(checkpoint, adapter, reduction, {
          settings,
          inherited: await inheritedFields(checkpoint),
          pruning: await recordAt(checkpoint.home),
          training: options.record?.(reduction) ?? options.training,
          healed: healed?.note,
        }),
      record: options.record ?? ownRecord,
    },
    out,
    options,
  );
  return { ...written, seconds: (performance.now() - clock) / 1000 };
}
