/**
 * Perplexity beside KL and top-1 agreement: against full logits of the float64 reference and PyTorch's numbers, and the
 * same bits whatever is shared, opened at once or split for memory.
 */
import assert from 'node:assert/strict';
import { type Unpruned, wholeOf } from '../../../src/engine/evaluate/compared';
import { generate } from '../../../src/engine/evaluate/generate';
import { perplexityOfRows } from '../../../src/engine/evaluate/perplexity';
import { repeatingOf } from '../../../src/engine/evaluate/repeating';
import { repetition } from '../../../src/engine/records/repetition';
import { type Model, openModel } from '../../../src/engine/model/model';
import { fullView, type View, viewWithout } from '../../../src/engine/model/view';
import type { KeyedPatch } from '../../../src/engine/weights/patches';
import { loadReference, referenceForward, type ReferenceModel } from '../../reference/forward';
import { referenceDivergence, referenceLoss } from '../../reference/measures';
import { assertClose } from '../../support/close';
import { calibrationRows, checkpointFolder, goldenHeal } from '../../support/golden';
import { HEAL_TOLERANCE } from '../../support/heal-checks';
import { openToy, watchSessions, withModel } from '../../support/model';
import { randomRows } from '../../support/random';
import { describeShared } from '../../support/shared';
import { tinyCheckpoint } from '../../support/tiny-models';
import { comparedPerplexity } from '../../support/measuring';
import { plainShape } from '../../../src/engine/checkpoint/kinds/plain';

/** As for token losses (reference-checks.ts). */
const CLOSE = { absolute: 5e-5 };
const ROWS = randomRows(3, 20, 288, 71);
const VIEW = viewWithout(4, [{ block: 1 }, { block: 2, part: 'ffn' }]);

/** The definition: means over every position but the last of a row. */
function defined(teacher: ReferenceModel, model: ReferenceModel, view?: View): { kl: number; top1: number } {
  const found = ROWS.map((ids) =>
    referenceDivergence(referenceForward(teacher, ids).logits, referenceForward(model, ids, view).logits),
  );
  const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;
  return { kl: mean(found.flatMap((row) => row.divergences)), top1: mean(found.flatMap((row) => row.agree)) };
}

/** Other weights of two blocks: as healing, training and adapters make them. */
async function changed(folder: string): Promise<{ model: Model; changes: readonly (readonly KeyedPatch[])[] }> {
  const checkpoint = await openToy(folder);
  const { hidden, layers } = checkpoint.architecture!;
  const patch = (layer: number): KeyedPatch => [
    { layer, name: 'down' },
    {
      kind: 'replace',
      values: Float32Array.from({ length: hidden * plainShape(layers[layer]).ffn }, (_, i) => Math.sin(i) / 9),
    },
  ];
  const changes = [[patch(0)], [patch(3)]];
  return { model: await openModel(checkpoint, { device: 'cpu', changes }), changes };
}

describe('perplexity compared with the unpruned model', () => {
  it('blocks and modules left out: the definition in float64, and the perplexity of a plain run to the bit', () =>
    withModel(tinyCheckpoint('llama-gqa-tied'), async (model) => {
      const { kl, top1, ...perplexity } = await comparedPerplexity({ model, view: VIEW }, wholeOf(model), ROWS);
      const reference = loadReference(model.checkpoint.folder);
      const expected = defined(reference, reference, VIEW);
      assertClose(kl, expected.kl, CLOSE, 'KL');
      assert.ok(kl > 0.05, 'there is something to measure');
      assert.equal(top1, expected.top1);
      assertClose(perplexity.meanNll, referenceLoss(reference, ROWS, VIEW).meanNll, CLOSE, 'loss');
      const plain = await perplexityOfRows(model, ROWS, VIEW);
      assert.deepEqual(perplexity, plain);
    }));

  it('opens what both models have once, and shares their states up to the first difference', () =>
    withModel(tinyCheckpoint('llama-plain'), async (model) => {
      const counts = watchSessions(model);
      await comparedPerplexity({ model, view: viewWithout(4, [{ block: 1 }]) }, wholeOf(model), ROWS);
      // Four blocks; one run in block 0, one in block 1, two in each other block; the head of both models.
      assert.deepEqual(counts, { open: 0, most: 2, opened: 4 + 2, runs: 1 + 1 + 2 + 2 + 2 });
    }));

  it('another checkpoint with other blocks', () =>
    withModel(tinyCheckpoint('llama-plain'), (model) =>
      withModel(tinyCheckpoint('llama-plain', { seed: 5, config: { num_hidden_layers: 6 } }), async (teacher) => {
        const unpruned: Unpruned = { model: teacher, view: fullView(6) };
        const { kl, top1 } = await comparedPerplexity({ model, view: fullView(4) }, unpruned, ROWS);
        const expected = defined(loadReference(teacher.checkpoint.folder), loadReference(model.checkpoint.folder));
        assertClose(kl, expected.kl, CLOSE, 'KL');
        assert.equal(top1, expected.top1);
      }),
    ));

  it('changed weights: the same bits as two models that share nothing, and in groups that fit a small memory', async () => {
    const folder = tinyCheckpoint('llama-plain');
    const { model, changes } = await changed(folder);
    try {
      await withModel(folder, async (teacher) => {
        const unpruned: Unpruned = { ...wholeOf(teacher), changes };
        const shared = await comparedPerplexity({ model, view: VIEW }, unpruned, ROWS);
        const apart = await comparedPerplexity({ model, view: VIEW }, { ...unpruned, changes: undefined }, ROWS);
        assert.deepEqual(shared, apart);
        assert.ok(shared.kl > 0.01);
      });
      const compared = (teacher: Model) =>
        comparedPerplexity({ model, view: VIEW }, { ...wholeOf(teacher), changes }, ROWS);
      const inOneGroup = await withModel(folder, compared);
      assert.deepEqual(await withModel(folder, compared, { memory: 1 }), inOneGroup);
    } finally {
      await model.close();
    }
  });

  it('measures the repetition of greedy continuations of rows', () =>
    withModel(tinyCheckpoint('llama-plain'), async (model) => {
      const found = await repeatingOf({ model, view: VIEW }, ROWS, 2);
      const expected = [];
      for (const row of ROWS.slice(0, 2)) {
        const { ids } = await generate(model, row, { maxNewTokens: 64, greedy: true, view: VIEW });
        expected.push(repetition(ids));
      }
      assert.equal(found.mean, (expected[0] + expected[1]) / 2);
      assert.equal((await repeatingOf({ model, view: VIEW }, ROWS, 9)).texts, 3, 'not more than there are rows');
    }));
});

describeShared('perplexity compared with the unpruned model: stories260K against PyTorch', () => {
  it('KL and losses of the golden sets', () =>
    withModel(checkpointFolder('stories260K'), async (model) => {
      const { cases } = goldenHeal('stories260K');
      const rows = calibrationRows('stories260K');
      const blocks = model.architecture.layers.length;
      for (const { removed, plain } of cases) {
        const view = viewWithout(
          blocks,
          removed.map((block) => ({ block })),
        );
        const found = await comparedPerplexity({ model, view }, wholeOf(model), rows);
        for (const key of ['kl', 'meanNll'] as const) {
          assertClose(
            found[key],
            plain[key],
            { absolute: HEAL_TOLERANCE.toys.loss },
            `${key} without ${removed.join()}`,
          );
        }
      }
    }));
});
