/** The Taylor criterion against golden numbers, and against its own laws (Shortened LLaMA §3.1). */
import assert from 'node:assert/strict';
import { CancelledError } from '../../../src/engine/errors';
import { scoreTaylor } from '../../../src/engine/importance/criteria/taylor';
import type { Progress } from '../../../src/engine/progress';
import type { Model } from '../../../src/engine/model/model';
import { viewWithout } from '../../../src/engine/model/view';
import { loadReference } from '../../reference/forward';
import { referenceLoss, referenceView } from '../../reference/measures';
import { assertClose } from '../../support/close';
import { dot } from '../../support/differences';
import { checkpointFolder, EXPERT_CHECKPOINTS, type GoldenName, SMALL_CHECKPOINTS } from '../../support/golden';
import { checkTaylor } from '../../support/golden-checks';
import { describedModel, withModel } from '../../support/model';
import { randomRows } from '../../support/random';
import { weightGradients } from '../../support/training';
import { describeShared, itFull, smollm2Folder } from '../../support/shared';
import { withTemporaryFolder } from '../../support/temporary';
import { tinyCheckpoint } from '../../support/tiny-models';

/** Single matrices, fused ones, stacks of experts, and a recurrence. The others' gradients are compared where they are trained. */
const QUICK: readonly GoldenName[] = [
  'stories260K',
  'families2/phi3-partial',
  'families3/gptoss-sinks',
  'families3/qwen35-text',
];

describeShared('golden Taylor scores', () => {
  for (const name of [...SMALL_CHECKPOINTS, ...EXPERT_CHECKPOINTS]) {
    (QUICK.includes(name) ? it : itFull)(name, () =>
      withModel(checkpointFolder(name), (model) => checkTaylor(model, name)),
    );
  }
  itFull('smollm2-135m', () => withModel(smollm2Folder(), (model) => checkTaylor(model, 'smollm2-135m')));
});

const VOCABULARY = 288;

describe('Taylor scores', () => {
  const folder = tinyCheckpoint('qwen2-mixed-windows');
  const model = describedModel(() => folder);

  it('are Σ |w ∂L/∂w| of the mean over the samples, the absolute value taken after the sum', async () => {
    const rows = randomRows(5, 24, VOCABULARY, 71);
    const { tensors } = await scoreTaylor(model(), rows);
    const perRow = [];
    for (const row of rows) perRow.push(await weightGradients(model(), [row]));
    const { tensors: weights } = loadReference(folder);
    let apart = 0;
    for (const { name, score } of tensors) {
      const { values } = weights.get(name)!;
      const products = perRow.map((gradients) => gradients.get(name)!.map((d, i) => d * values[i]));
      const mean = values.map((_, i) => products.reduce((sum, p) => sum + p[i], 0) / rows.length);
      assertClose(score, absoluteSum(mean), { relative: 1e-5 }, name);
      const before = products.reduce((sum, p) => sum + absoluteSum(p), 0) / rows.length;
      assert.ok(before > score, `${name}: Σ|…| over samples is no less`);
      apart = Math.max(apart, before / score);
    }
    assert.ok(apart > 1.2, 'taking the absolute value first would have gone unnoticed');
  });

  it('are the same whatever the chunks, and from a file as from memory', async () => {
    const rows = randomRows(90, 16, VOCABULARY, 72); // 80 rows of 16 tokens are a run
    const expected = await scoreTaylor(model(), rows);
    assert.equal(expected.fileBytes, 0);
    await withModel(
      folder,
      async (small) => {
        const found = await scoreTaylor(small, rows);
        assert.ok(found.fileBytes > 0);
        assert.deepEqual({ ...found, fileBytes: 0 }, expected);
      },
      { memory: 1000 },
    );
    // The same rows thrice are one batch with the same mean, and several chunks.
    const few = randomRows(30, 16, VOCABULARY, 73);
    const [once, thrice] = [await scoreTaylor(model(), few), await scoreTaylor(model(), [few, few, few].flat())];
    assertClose(thrice.meanNll, once.meanNll, { relative: 1e-6 }, 'loss');
    for (const [i, { name, score }] of once.tensors.entries()) {
      assertClose(thrice.tensors[i].score, score, { relative: 1e-5 }, name);
    }
  });

  it('leave no file behind: not when done, not when cancelled, not when a token is beyond the vocabulary', async () => {
    const rows = randomRows(90, 16, VOCABULARY, 74);
    const checks = (small: Model) =>
      withTemporaryFolder(async (look) => {
        await scoreTaylor(small, rows);
        assert.deepEqual(look(), []);
        const abort = new AbortController();
        let most = 0;
        const onProgress = ({ done, total }: Progress): void => {
          most = Math.max(most, look().length);
          if (done > total / 2) abort.abort();
        };
        await assert.rejects(scoreTaylor(small, rows, {}, { signal: abort.signal, onProgress }), CancelledError);
        assert.equal(most, process.platform === 'win32' ? 1 : 0, 'the file has no name while it is used');
        assert.deepEqual(look(), []);
        await assert.rejects(scoreTaylor(small, [...rows.slice(1), new Array<number>(16).fill(VOCABULARY)]));
        assert.deepEqual(look(), []);
      });
    await withModel(folder, checks, { memory: 1000 });
  });

  it('of a view: the loss of what is kept, and its tensors only', async () => {
    const rows = randomRows(3, 16, VOCABULARY, 75);
    const view = viewWithout(4, [{ block: 1 }, { block: 2, part: 'ffn' }]);
    const { meanNll, tensors, blocks } = await scoreTaylor(model(), rows, { view });
    const expected = referenceLoss(loadReference(folder), rows, referenceView(4, { blocks: [1], ffn: [2] }));
    assertClose(meanNll, expected.meanNll, { absolute: 1e-5 }, 'loss');
    assert.deepEqual(blocks.map((b) => b.index), [0, 2, 3]); // prettier-ignore
    assert.equal(tensors.filter((t) => t.block === 1).length, 0);
    const ofHalf = tensors.filter((t) => t.block === 2).map((t) => t.name.slice('model.layers.2.'.length));
    const projections = ['q', 'k', 'v', 'o'].map((name) => `self_attn.${name}_proj.weight`);
    assert.deepEqual(ofHalf.sort(), ['input_layernorm.weight', ...projections].sort());
  });
});

const absoluteSum = (x: ArrayLike<number>): number =>
  dot(Float64Array.from(x, Math.abs), new Float64Array(x.length).fill(1));
