/** Blocks with experts: the same numbers whatever the groups of experts, the runs, and the way they are computed in. */
import assert from 'node:assert/strict';
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
