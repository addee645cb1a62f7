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

describeShared('other blocks', () => {
  for (const [toy, has, heals] of OTHERS) {
    it(`${toy} is refused by what its blocks have`, async () => {
      const checkpoint = await openCheckpoint(checkpointFolder(toy));
      const architecture = requireArchitecture(checkpoint);
      const refused = { name: 'UserError', message: has };
      if (!heals) assert.throws(() => requireHealable(architecture), refused);
      if (toy !== 'families3/qwen3moe-norm') assert.throws(() => spellingOf(architecture), refused);
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
});
