/** Models with other blocks than those of attention and a dense FFN: some are healed; each job that cannot take them says which. */
import assert from 'node:assert/strict';
import { spellingOf } from '../../../src/engine/checkpoint/gguf/spelling';
import { openCheckpoint, requireArchitecture } from '../../../src/engine/checkpoint/open';
import { heal } from '../../../src/engine/heal/heal';
import { requireHealable } from '../../../src/engine/heal/healable';
import { requireReachable } from '../../../src/engine/importance/width/measure';
import { openModel } from '../../../src/engine/model/model';
import { precisionForText } from '../../../src/engine/model/text-precision';
import { checkpointWeights } from '../../../src/engine/weights/checkpoint';
import { planOnnx } from '../../../src/engine/write/onnx/plan';
import { assertClose } from '../../support/close';
import { checkpointFolder, type GoldenName } from '../../support/golden';
import { viewOf } from '../../support/healing';
import { withModelOf } from '../../support/model';
import { randomRows } from '../../support/random';
import { describeShared } from '../../support/shared';

/** What blocks of these have, in words. */
const OTHERS: readonly (readonly [toy: GoldenName, has: RegExp, heals?: true])[] = [
  ['families3/qwen3moe-norm', /blocks of it have experts/],
  ['families3/lfm2-conv', /blocks of it have a short convolution/, true],
  ['families3/granite4-dense', /blocks of it have gate and up in one matrix/, true],
  ['families3/qwen35-text', /blocks of it have a gated delta net/, true],
  ['families3/granite4-hybrid', /blocks of it have Mamba/, true],
  ['families3/falconh1-parallel', /blocks of it have attention beside Mamba/],
];

/**
 * Steps of a refit of granite4-hybrid without block 4: Σ R² before and after, and the norm of the new weight. By NumPy in float64 from
 * the definitions of the blocks and of the refit, token by token.
 */
const REFITS: readonly (readonly [block: number, tensor: string, before: number, after: number, norm: number])[] = [
  [3, 'down_proj', 1969876.77, 1844873.88, 18.3490752],
  [5, 'o_proj', 2067390.03, 1880236.62, 12.4585437],
  [5, 'down_proj', 2893189.56, 2768951.37, 7.72547187],
  [6, 'o_proj', 3088912.48, 2788930.01, 13.401395],
  [6, 'down_proj', 4769966.61, 4538425.35, 7.47954459],
  [7, 'o_proj', 4578884.86, 4407033.76, 16.2947539],
  [7, 'down_proj', 5351445.46, 5125251.5, 8.63006528],
];

describeShared('other blocks', () => {
  for (const [toy, has, heals] of OTHERS) {
    it(`${toy} is refused by what its blocks have`, async () => {
      const checkpoint = await openCheckpoint(checkpointFolder(toy));
      const architecture = requireArchitecture(checkpoint);
      const refused = { name: 'UserError', message: has };
      if (!heals) assert.throws(() => requireHealable(architecture), refused);
      assert.throws(() => requireReachable(architecture, { method: 'flap' }, { ratio: 0.2 }), refused);
      await assert.rejects(openModel(checkpoint, { precision: 'int8' }), refused);
      const weights = checkpointWeights(checkpoint);
      try {
        await assert.rejects(planOnnx(weights, { kept: [0], kind: 'fp32', target: 'cpu' }), refused);
      } finally {
        await weights.close();
      }
      assert.equal(await precisionForText('auto', [architecture], {}), 'float32');
    });

    if (heals) {
      it(`${toy} is healed: nearer to the original, on rows that were not fitted too`, async () => {
        const checkpoint = await openCheckpoint(checkpointFolder(toy));
        await withModelOf(checkpoint, async (model) => {
          const view = viewOf(model.architecture.layers.length, '4');
          const { steps, fit, heldOut } = await heal(model, view, randomRows(24, 40, 288, 5), {
            method: 'refit',
            heldOut: randomRows(8, 40, 288, 6),
          });
          assert.ok(steps.length > 0 && steps.every(({ errorBefore, errorAfter }) => errorAfter! <= errorBefore!));
          for (const likeness of [fit!, heldOut!]) assert.ok(likeness.after.kl < likeness.before.kl);
        });
      });
    }
  }

  const hybrid = 'families3/granite4-hybrid';

  it('a refit of Mamba, attention and the FFN beside experts is that of NumPy in float64', async () => {
    const checkpoint = await openCheckpoint(checkpointFolder(hybrid));
    await withModelOf(checkpoint, async (model) => {
      const view = viewOf(model.architecture.layers.length, '4');
      const { steps } = await heal(model, view, randomRows(24, 40, 288, 5), { method: 'refit', measure: false });
      assert.equal(steps.length, REFITS.length);
      for (const [i, [block, tensor, errorBefore, errorAfter, norm]] of REFITS.entries()) {
        const step = steps[i];
        assert.deepEqual([step.block, step.tensor], [block, tensor]);
        assertClose(step.errorBefore!, errorBefore, { relative: 2e-6 }, `${block}, ${tensor}: error before`);
        assertClose(step.errorAfter!, errorAfter, { relative: 2e-6 }, `${block}, ${tensor}: error after`);
        assertClose(step.weight!.norm, norm, { relative: 2e-6 }, `${block}, ${tensor}: weight`);
      }
    });
  });

  it('experts beside an FFN are neither folded nor written as GGUF', async () => {
    const architecture = requireArchitecture(await openCheckpoint(checkpointFolder(hybrid)));
    for (const method of ['fold', 'scalar'] as const) {
      const refused = { name: 'UserError', message: /beside the matrix/ };
      assert.throws(() => requireHealable(architecture, method), refused);
    }
    const { mixer } = architecture.layers.find((layer) => layer.mixer.kind === 'attention')!;
    const attending = { ...architecture, layers: architecture.layers.map(({ ffn }) => ({ mixer, ffn })) };
    assert.throws(() => spellingOf(attending), { name: 'UserError', message: /an FFN beside its experts/ });
  });
});
