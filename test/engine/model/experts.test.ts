/** Blocks with experts: the same numbers whatever the groups of experts, the runs, and the way they are computed in. */
import assert from 'node:assert/strict';
import { openCheckpoint, requireArchitecture } from '../../../src/engine/checkpoint/open';
import { spellingOf } from '../../../src/engine/checkpoint/gguf/spelling';
import { requireHealable } from '../../../src/engine/heal/healable';
import { requireReachable } from '../../../src/engine/importance/width/measure';
import { precisionForText } from '../../../src/engine/model/text-precision';
import { checkpointWeights } from '../../../src/engine/weights/checkpoint';
import { planOnnx } from '../../../src/engine/write/onnx/plan';
import { lossesOfViews } from '../../../src/engine/evaluate/views';
import { Forward } from '../../../src/engine/model/forward';
import { type Model, openModel } from '../../../src/engine/model/model';
import { fullView } from '../../../src/engine/model/view';
import { calibrationRows, checkpointFolder, EXPERT_CHECKPOINTS } from '../../support/golden';
import { assertAllClose } from '../../support/close';
import { describedModel } from '../../support/model';
import { describeShared } from '../../support/shared';

/** Bytes of two experts of the toys in float32, about. */
const TWO = 40_000;
const SAME = { absolute: 1e-6, relative: 1e-6 } as const;

/** The streams after a block's step, over all rows, in runs of so many tokens. */
async function after(model: Model, block: number, tokensPerRun: number): Promise<number[]> {
  const rows = calibrationRows('families3/qwen3moe-norm').slice(0, 5);
  const forward = new Forward(model, rows[0].length, tokensPerRun);
  const chunks = await forward.embed(rows);
  const open = await forward.open({ block, attention: true, ffn: true }, true);
  try {
    const found: number[] = [];
    for (const chunk of chunks) found.push(...(await open.run(chunk)).data);
    return found;
  } finally {
    await open.close();
  }
}

describeShared('blocks with experts', () => {
  for (const name of EXPERT_CHECKPOINTS) {
    describe(name, () => {
      const model = describedModel(() => checkpointFolder(name));

      it('have the same losses in groups of experts, each opened again for every run', async () => {
        const rows = calibrationRows(name);
        const views = [fullView(model().architecture.layers.length)];
        const [whole] = await lossesOfViews(model(), rows, views);
        const narrow = await openModel(model().checkpoint, { device: 'cpu', experts: { group: TWO, kept: TWO } });
        try {
          const [inGroups] = await lossesOfViews(narrow, rows, views);
          assertAllClose([...inGroups], [...whole], SAME, 'losses');
        } finally {
          await narrow.close();
        }
      });
    });
  }

  it('are refused by name where a job cannot do them', async () => {
    const checkpoint = await openCheckpoint(checkpointFolder('families3/qwen3moe-norm'));
    const architecture = requireArchitecture(checkpoint);
    const refused = { name: 'UserError', message: /blocks of it have experts/ };
    assert.throws(() => requireHealable(architecture), refused);
    assert.throws(() => spellingOf(architecture), refused);
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

  describe('a block by itself', () => {
    const model = describedModel(() => checkpointFolder('families3/qwen3moe-norm'));

    it('gives the same stream in runs of one row and of all', async () => {
      const [{ length }] = calibrationRows('families3/qwen3moe-norm');
      const all = await after(model(), 3, 5 * length);
      assert.ok(all.some((value) => value !== 0));
      assertAllClose(await after(model(), 3, length), all, SAME, 'stream');
    });
  });
});
