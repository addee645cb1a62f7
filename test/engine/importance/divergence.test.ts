/** Scores by divergence from the unpruned model, and greedy removal by it, against full logits in float64. */
import assert from 'node:assert/strict';
import { scoreGreedy } from '../../../src/engine/importance/criteria/greedy';
import * as kl from '../../../src/engine/importance/criteria/kl';
import * as ppl from '../../../src/engine/importance/criteria/ppl';
import { CancelledError } from '../../../src/engine/errors';
import type { JobOptions } from '../../../src/engine/progress';
import { fullView, removedParts, type RemovedPart, type View, viewWithout } from '../../../src/engine/model/view';
import { loadReference, referenceForward, type ReferenceModel } from '../../reference/forward';
import { referenceDivergence, referenceLoss } from '../../reference/measures';
import { assertAllClose, assertClose } from '../../support/close';
import { checkKlGreedy } from '../../support/golden-checks';
import { checkpointFolder } from '../../support/golden';
import { withModel } from '../../support/model';
import { randomRows } from '../../support/random';
import { describeShared, itFull, smollm2Folder } from '../../support/shared';
import { tinyCheckpoint } from '../../support/tiny-models';

const BLOCKS = 4;
const ROWS = randomRows(6, 20, 288, 91);
const CLOSE = { absolute: 2e-5 };
const whole = fullView(BLOCKS);

interface Likeness {
  readonly kl: number;
  readonly meanNll: number;
}

/** Of a view, from the definition: mean KL from the whole model's full logits, and mean loss. */
function referenceOf(reference: ReferenceModel, view: View, rows = ROWS, teacher = reference): Likeness {
  const logits = (model: ReferenceModel, ids: readonly number[], of?: View) => referenceForward(model, ids, of).logits;
  const kls = rows.flatMap(
    (ids) => referenceDivergence(logits(teacher, ids), logits(reference, ids, view)).divergences,
  );
  return { kl: kls.reduce((a, b) => a + b, 0) / kls.length, meanNll: referenceLoss(reference, rows, view).meanNll };
}

const without = (view: View, part: RemovedPart): View => viewWithout(BLOCKS, [...removedParts(view), part]);

function assertLike(found: { kl?: number; meanNll: number; ppl: number }, expected: Likeness, what: string): void {
  assertClose(found.kl!, expected.kl, CLOSE, `${what}: KL`);
  assertClose(found.meanNll, expected.meanNll, CLOSE, `${what}: mean loss`);
  assert.equal(found.ppl, Math.exp(found.meanNll));
}

describe('scores by divergence', () => {
  const pruned = viewWithout(BLOCKS, [{ block: 1 }, { block: 2, part: 'ffn' }]);
  for (const name of ['llama-bias', 'qwen2-mixed-windows'] as const) {
    for (const [title, view] of [
      ['the whole model', whole],
      ['a pruned model, from the whole one', pruned],
    ] as const) {
      // Each model is scored whole or pruned, and both ways in test:full.
      const test = (name === 'llama-bias') === (view === whole) ? it : itFull;
      test(`of the blocks of ${title}, ${name}`, async () => {
        const folder = tinyCheckpoint(name);
        const reference = loadReference(folder);
        const { full, blocks, order } = await withModel(folder, (model) =>
          kl.scoreBlocks(model, ROWS, { view, seed: 1 }),
        );
        assertLike(full, referenceOf(reference, view), 'nothing more removed');
        for (const { index, ...found } of blocks) {
          assertLike(found, referenceOf(reference, without(view, { block: index })), `block ${index}`);
          assert.equal(found.score, found.kl);
          const { low = NaN, high = NaN } = found;
          assert.ok(low < found.score && found.score < high && found.pairedLow < found.pairedHigh);
          // The whole model's divergence is 0, so there is nothing to subtract.
          if (view === whole) assertClose(found.pairedHigh, high, { absolute: 1e-6 }, 'interval');
        }
        const scores = new Map(blocks.map(({ index, score }) => [index, score]));
        assert.deepEqual(
          order.map((index) => scores.get(index)),
          [...scores.values()].sort((a, b) => a - b),
        );
      });
    }
  }

  it('of single modules', async () => {
    const folder = tinyCheckpoint('qwen3-qknorm');
    const reference = loadReference(folder);
    const { modules, order } = await withModel(folder, (model) => kl.scoreModules(model, ROWS, { seed: 1 }));
    assert.equal(order.length, 2 * BLOCKS);
    for (const { block, part, ...found } of modules) {
      assertLike(found, referenceOf(reference, without(whole, { block, part })), `${block}.${part}`);
    }
  });

  it('has the losses of the perplexity sweep, bit for bit', () =>
    withModel(tinyCheckpoint('llama-gqa-tied'), async (model) => {
      const [compared, scored] = [
        await kl.scoreBlocks(model, ROWS, { seed: 1 }),
        await ppl.scoreBlocks(model, ROWS, { seed: 1 }),
      ];
      assert.equal(compared.full.meanNll, scored.full.meanNll);
      assert.deepEqual(
        compared.blocks.map(({ rows }) => rows),
        scored.blocks.map(({ rows }) => rows),
      );
    }));

  it('are the same with little memory, where the teacher’s states are in a file', async () => {
    const folder = tinyCheckpoint('llama-plain');
    const score = (memory?: number) =>
      withModel(folder, (model) => kl.scoreBlocks(model, ROWS, { view: pruned, seed: 1 }), { memory });
    const [much, little] = [await score(), await score(20 * 64 * 4 * 4)]; // four states of a row
    assertAllClose(
      little.blocks.map(({ score: kl }) => kl),
      much.blocks.map(({ score: kl }) => kl),
      { absolute: 1e-6 },
      'scores',
    );
  });

  it('of a model with changed weights are measured from the model before the change', async () => {
    const folder = tinyCheckpoint('llama-plain');
    await withModel(folder, async (teacher) => {
      const before = loadReference(folder);
      const name = 'model.layers.1.mlp.down_proj.weight';
      const stored = before.tensors.get(name)!;
      const values = stored.values.map((w) => -w);
      const trained = { ...before, tensors: new Map(before.tensors).set(name, { ...stored, values }) };
      const changes = [
        [
          [
            { layer: 1, name: 'down' },
            { kind: 'replace', values },
          ] as const,
        ],
      ];
      const { full, blocks } = await withModel(folder, (model) => kl.scoreBlocks(model, ROWS, { teacher, seed: 1 }), {
        changes,
      });
      assertLike(full, referenceOf(trained, whole, ROWS, before), 'nothing removed');
      assert.ok(full.kl! > 0.01, 'the change matters');
      assertLike(blocks[2], referenceOf(trained, without(whole, { block: 2 }), ROWS, before), 'block 2');
    });
  });

  it('end with the signal', () =>
    withModel(tinyCheckpoint('llama-plain'), async (model) => {
      const stop = new AbortController();
      const job: JobOptions = { signal: stop.signal, onProgress: () => stop.abort() };
      await assert.rejects(kl.scoreBlocks(model, ROWS, { view: pruned, seed: 1 }, job), CancelledError);
    }));
});

describe('greedy removal by divergence', () => {
  it('removes what leaves the least divergence, among the candidates', async () => {
    const folder = tinyCheckpoint('ragged-plain');
    const reference = loadReference(folder);
    const candidates = [0, 1, 3];
    const options = { count: 3, candidates, objective: 'kl' } as const;
    const { full, removals } = await withModel(folder, (model) => scoreGreedy(model, ROWS, options));
    assertClose(full.kl!, 0, { absolute: 1e-6 }, 'whole model');
    let view = whole;
    const left = new Set(candidates);
    for (const { block, ...found } of removals) {
      const each = [...left].map((candidate) => ({
        candidate,
        ...referenceOf(reference, without(view, { block: candidate })),
      }));
      const best = each.reduce((a, b) => (b.kl < a.kl ? b : a));
      assert.equal(block, best.candidate);
      assertLike(found, best, `without block ${block}`);
      view = without(view, { block });
      left.delete(block);
    }
    assert.equal(left.size, 0);
  });

  it('ends when there are no candidates, and measures the whole model then', () =>
    withModel(tinyCheckpoint('llama-plain'), async (model) => {
      const { full, removals } = await scoreGreedy(model, ROWS, { count: 2, candidates: [], objective: 'kl' });
      assert.equal(removals.length, 0);
      assertClose(full.kl!, 0, { absolute: 1e-6 }, 'whole model');
    }));
});

describeShared('golden greedy removals by divergence', function () {
  this.timeout('10m');
  it('stories260K', () =>
    withModel(checkpointFolder('stories260K'), (model) => checkKlGreedy(model, 'stories260K', { absolute: 1e-5 })));
  itFull('SmolLM2-135M-Instruct', () =>
    withModel(smollm2Folder(), (model) => checkKlGreedy(model, 'smollm2-135m', { absolute: 3e-4 })),
  );
});
