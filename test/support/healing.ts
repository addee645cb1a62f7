/** Healings of toys by the engine and by the float64 reference. */
import assert from 'node:assert/strict';
import { weightOf } from '../../src/engine/checkpoint/weight-key';
import { heal, type HealOptions } from '../../src/engine/heal/heal';
import type { Healed } from '../../src/engine/heal/result';
import type { Model } from '../../src/engine/model/model';
import { parseRemoved, viewWithout, type View } from '../../src/engine/model/view';
import type { KeyedPatch } from '../../src/engine/weights/patches';
import type { ReferenceModel, ReferenceTensor } from '../reference/forward';
import { referenceHeal, referenceLikeness, withTensors, type ReferenceHealed } from '../reference/heal';
import { assertClose, assertGradientClose } from './close';
import { fromBfloat16, fromFloat16, toBfloat16, toFloat16 } from './half';
import { checkHealSteps, checkLikeness, type HealTolerance } from './heal-checks';
import type { TestDtype } from './safetensors';

/** "1,2.ffn" as a view of `blocks` blocks; "" is the whole model. */
export const viewOf = (blocks: number, removed: string): View =>
  viewWithout(blocks, removed === '' ? [] : parseRemoved(removed, blocks));

/** The new tensors by their names in the file. */
export function patchedTensors(model: Model, patches: readonly KeyedPatch[]): Map<string, ReferenceTensor> {
  return new Map(
    patches.map(([key, patch]) => {
      assert.ok(patch.kind === 'replace');
      const { name, shape } = weightOf(model.architecture, key)!;
      return [name, { shape, values: patch.values }];
    }),
  );
}

/** Rounds as a file of this type does. */
export const ROUND: Readonly<Record<TestDtype, (value: number) => number>> = {
  F32: Math.fround,
  F16: (value) => fromFloat16(toFloat16(value)),
  BF16: (value) => fromBfloat16(toBfloat16(value)),
};

export interface HealingCase {
  readonly reference: ReferenceModel;
  readonly dtype: TestDtype;
  readonly rows: readonly (readonly number[])[];
  readonly view: View;
  /** The reference's and the engine's model that have the dense stream, if they are others. */
  readonly target?: { readonly reference: ReferenceModel; readonly model: Model };
}

/** Heals with the engine and with the reference, and compares steps, new weights and what is left. */
export async function checkHealing(
  model: Model,
  { reference, dtype, rows, view, target }: HealingCase,
  options: HealOptions,
  tolerance: HealTolerance,
): Promise<{ healed: Healed; expected: ReferenceHealed }> {
  const healed = await heal(model, view, rows, { ...options, target: target?.model });
  const expected = referenceHeal(reference, view, rows, options, target?.reference);
  const steps = options.method === 'scalar' ? healed.steps.filter(({ s }) => s !== undefined) : healed.steps;
  if (!checkHealSteps(steps, expected.steps, tolerance)) return { healed, expected };
  checkPatches(model, healed.patches, expected, tolerance);
  if (healed.fit) {
    const likeness = referenceLikeness(target?.reference ?? reference, rows);
    // A number may be half-way between two of a file's, so the engine's are rounded here, and not the reference's.
    const rounded = withTensors(reference, patchedTensors(model, healed.patches), ROUND[dtype]);
    for (const [stage, stageModel] of [
      ['before', reference],
      ['after', expected.model],
      ['rounded', rounded],
    ] as const) {
      const [got, want] = [healed.fit[stage], likeness(stageModel, view)];
      checkLikeness(got, want, tolerance, stage);
      assertClose(got.ppl, Math.exp(want.meanNll), { relative: 2 * tolerance.loss }, `${stage}, ppl`);
      // Two tokens that are nearly as likely may change places at one position.
      const positions = rows.length * (rows[0].length - 1);
      assertClose(got.top1, want.top1, { absolute: 1.5 / positions }, `${stage}, top-1`);
    }
  }
  return { healed, expected };
}

/** The same tensors, and the same change of each (L2). A tensor that "auto" left as it is has no patch. */
function checkPatches(
  model: Model,
  patches: readonly KeyedPatch[],
  { changed }: ReferenceHealed,
  tolerance: HealTolerance,
): void {
  const found = patchedTensors(model, patches);
  assert.deepEqual([...found.keys()].sort(), [...changed.keys()].sort(), 'the new tensors');
  for (const [name, { values }] of changed) assertGradientClose(found.get(name)!.values, values, tolerance.norm, name);
}
