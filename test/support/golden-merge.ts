/** A golden run's adapter, merged. */
import { join } from 'node:path';
import type { Checkpoint } from '../../src/engine/checkpoint/types';
import { linearNames } from '../../src/engine/checkpoint/architecture';
import { requireArchitecture } from '../../src/engine/checkpoint/open';
import type { Parameters } from '../../src/engine/retrain/loop/adamw';
import type { Batch } from '../../src/engine/retrain/loop/batch';
import { mergeAdapter } from '../../src/engine/write/merge';
import { assertClose, TOLERANCE } from './close';
import type { GoldenLora } from './golden';
import { withModel } from './model';
import { temporaryFolder } from './temporary';
import { loraSetup, withBackprop } from './training';

/** The loss of the trained adapter merged into a checkpoint: in float32, and in the file's dtype. */
export async function checkMerged(
  checkpoint: Checkpoint,
  golden: GoldenLora,
  parameters: Parameters,
  firstBatch: Batch,
): Promise<void> {
  const matrices = new Map<number, Record<string, Float32Array>>();
  for (const [name, { values }] of parameters) {
    const [block, key] = [Number(name.slice(0, name.indexOf('.'))), name.slice(name.indexOf('.') + 1)];
    matrices.set(block, { ...matrices.get(block), [key]: values });
  }
  const { rank, alpha, removed, mergedFloat32, mergedSourceDtype } = golden;
  const adapter = { rank, alpha, dropout: 0, targets: linearNames(requireArchitecture(checkpoint)), removed, matrices };
  const sourceDtype = mergedSourceDtype.dtype === 'bfloat16' ? 'BF16' : 'F32';
  for (const [dtype, expected, tolerance] of [
    ['F32', mergedFloat32, TOLERANCE.mergedFloat32],
    [sourceDtype, mergedSourceDtype.loss, TOLERANCE.mergedSourceDtype],
  ] as const) {
    const out = join(temporaryFolder(), 'merged');
    await mergeAdapter(checkpoint, adapter, out, { dtype });
    const loss = await withModel(out, async (merged) => {
      const { trainable } = loraSetup(merged, { targets: [] });
      return withBackprop(merged, trainable, {}, (b) => b.loss(firstBatch));
    });
    assertClose(loss.loss, expected, tolerance, `merged as ${dtype}`);
  }
}
