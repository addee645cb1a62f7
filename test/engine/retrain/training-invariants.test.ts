/** Laws of backpropagation: how a batch is cut, padded and held in memory changes nothing; what a teacher adds. */
import assert from 'node:assert/strict';
import type { BatchResult } from '../../../src/engine/retrain/loop/backprop';
import type { MemoryPolicy } from '../../../src/engine/model/training-step';
import type { Batch } from '../../../src/engine/retrain/loop/batch';
import { DropoutMasks } from '../../../src/engine/retrain/loop/dropout';
import { Teacher } from '../../../src/engine/retrain/teacher/teacher';
import type { Model } from '../../../src/engine/model/model';
import { lossesOfViews } from '../../../src/engine/evaluate/views';
import { linearNames } from '../../../src/engine/checkpoint/architecture';
import { plainShape } from '../../../src/engine/checkpoint/kinds/plain';
import { fullView, viewWithout, type View } from '../../../src/engine/model/view';
import { RowInt8 } from '../../../src/engine/weights/row-int8';
import { loadReference, logSumExp, referenceForward } from '../../reference/forward';
import { referenceView } from '../../reference/measures';
import { assertClose, assertGradientClose } from '../../support/close';
import { checkpointFolder } from '../../support/golden';
import { describedModel, watchSessions, withModel } from '../../support/model';
import { randomRows } from '../../support/random';
import { describeShared, full } from '../../support/shared';
import { tinyCheckpoint } from '../../support/tiny-models';
import { fullSetup, loraSetup, textBatch, withBackprop, type TrainingSetup } from '../../support/training';

const BLOCKS = 4;
const POLICIES: readonly MemoryPolicy[] = [true, false].flatMap((keepSessions) =>
  (full ? [true, false] : [keepSessions]).map((keepActivations) => ({ keepSessions, keepActivations })),
);
const dropout = { masks: new DropoutMasks(0.2, 3), step: 7 };
const batch = textBatch([5, 24, 9, 17, 16].flatMap((length, i) => randomRows(1, length, 288, 91 + i)));

function assertSame(actual: BatchResult, expected: BatchResult, tolerance: number): void {
  assertClose(actual.loss, expected.loss, { relative: tolerance }, 'loss');
  assert.equal(actual.targets, expected.targets);
  assert.deepEqual([...actual.gradients.keys()].sort(), [...expected.gradients.keys()].sort());
  for (const [name, gradient] of expected.gradients) {
    assertGradientClose(actual.gradients.get(name)!, gradient, tolerance, name);
  }
}

/** A batch gives the mean of what its rows give alone, weighed by their targets. */
async function checkMean(model: Model, whole: Batch): Promise<void> {
  const { trainable } = loraSetup(model, { seed: 2, targets: linearNames(model.architecture) });
  const run = (some: Batch): Promise<BatchResult> => withBackprop(model, trainable, {}, (b) => b.gradients(some));
  const found = await run(whole);
  assert.equal(found.targets, whole.targets.flatMap((row) => Array.from(row)).filter((t) => t !== -1).length);
  const alone: BatchResult[] = [];
  for (const [r, row] of whole.rows.entries()) alone.push(await run({ rows: [row], targets: [whole.targets[r]] }));
  const share = (r: number): number => alone[r].targets / found.targets;
  const expected = {
    loss: alone.reduce((sum, { loss }, r) => sum + share(r) * loss, 0),
    targets: found.targets,
    gradients: new Map(
      [...found.gradients.keys()].map((name) => {
        const parts = alone.map(({ gradients }) => gradients.get(name)!);
        return [name, parts[0].map((_, i) => parts.reduce((sum, part, r) => sum + share(r) * part[i], 0))];
      }),
    ),
  };
  assertSame(found, expected, 1e-5);
}

// Rows on both sides of the length from which on frequencies are others, which the padding of some would cross.
describeShared('backpropagation where rotations depend on the length', () => {
  for (const [name, lengths] of [
    ['phi3-longrope', [17, 20, 21, 30]],
    ['llama-dynamic', [31, 32, 33, 36]],
  ] as const) {
    it(`${name}: each row as if it were alone`, () =>
      withModel(checkpointFolder(`families2/${name}`), async (model) => {
        const rows = textBatch(lengths.flatMap((length, i) => randomRows(1, length, 320, 81 + i)));
        await checkMean(model, rows);
        const { trainable } = loraSetup(model, { targets: [] });
        for (const row of rows.rows) {
          const tokens = Array.from(row);
          const { loss } = await withBackprop(model, trainable, {}, (b) => b.loss(textBatch([tokens])));
          const [found] = await lossesOfViews(model, [tokens], [fullView(model.architecture.layers.length)]);
          assertClose(
            loss,
            found.reduce((sum, each) => sum + each, 0) / found.length,
            { absolute: 1e-5 },
            'of scoring',
          );
        }
      }));
  }
});

describe('backpropagation', () => {
  const folder = tinyCheckpoint('qwen2-mixed-windows');
  const model = describedModel(() => folder);
  /** Adapters under dropout, and every weight. */
  const setups = async (): Promise<readonly (TrainingSetup & { dropout?: typeof dropout })[]> => [
    { ...loraSetup(model(), { dropout: true }), dropout },
    await fullSetup(model()),
  ];

  it('gives the same to the last bit whatever is kept in memory', async () => {
    const integers = { ...loraSetup(model(), { dropout: true, frozen: new RowInt8(model().weights, 63) }), dropout };
    for (const setup of [...(await setups()), integers]) {
      const [first, ...others] = await Promise.all(
        POLICIES.map((policy) =>
          withBackprop(model(), setup.trainable, { policy, tokensPerRun: 32 }, (b) =>
            b.gradients(batch, undefined, setup.dropout),
          ),
        ),
      );
      for (const other of others) assert.deepEqual(other, first);
    }
  });

  it('keeps the sessions that it says it keeps, and closes all', async () => {
    await withModel(folder, async (watched) => {
      const counts = watchSessions(watched);
      for (const policy of POLICIES) {
        const { trainable } = loraSetup(watched);
        await withBackprop(watched, trainable, { policy, tokensPerRun: 32 }, async (backprop) => {
          await backprop.gradients(batch);
          assert.equal(counts.open, policy.keepSessions ? 1 + 2 * BLOCKS : 1);
          const { opened } = counts;
          await backprop.gradients(batch);
          if (policy.keepSessions) assert.equal(counts.opened, opened);
        });
        assert.equal(counts.open, 0);
      }
    });
  });

  it('keeps of long rows what grows with their tokens: attention is computed again', async () => {
    const { trainable } = loraSetup(model());
    const [a, b, c, d] = await withBackprop(model(), trainable, { tokensPerRun: 1024 }, (backprop) =>
      Promise.resolve([256, 512, 1024, 2048].map((length) => backprop.activationBytes(length))),
    );
    assert.deepEqual([a, b], [c, c], 'of as many tokens, whatever their rows');
    assert.equal(d, 2 * c, 'a row that is longer than a run is a run of its own');
    const { hidden, layers } = model().architecture;
    const { heads, kvHeads, headDim, ffn } = plainShape(layers[0]);
    const linears = (heads + 2 * kvHeads) * headDim + hidden + 2 * ffn; // q, k, v, o, gate, up
    const adapters = c / (4 * BLOCKS * 1024) - linears;
    assert.ok(adapters > 0 && adapters <= 7 * 8, `and the adapters' narrow results: ${adapters} a token`);
  });

  it('gives the same however the batch is cut, dropout included', async () => {
    for (const setup of await setups()) {
      const cut = (tokensPerRun: number): Promise<BatchResult> =>
        withBackprop(model(), setup.trainable, { tokensPerRun }, (b) => b.gradients(batch, undefined, setup.dropout));
      const whole = await cut(1024);
      for (const tokens of full ? [1, 40, 64] : [1, 40]) assertSame(await cut(tokens), whole, 1e-5);
    }
  });

  it('is not moved by padding, nor by tokens after the last target', async () => {
    for (const setup of await setups()) {
      const run = (some: Batch): Promise<BatchResult> =>
        withBackprop(model(), setup.trainable, {}, (b) => b.gradients(some, undefined, setup.dropout));
      const more = {
        rows: batch.rows.map((row, r) => [...Array.from(row), ...randomRows(1, 3 * r, 288, 99)[0]]),
        targets: batch.targets.map((row, r) => [...Array.from(row), ...new Array<number>(3 * r).fill(-1)]),
      };
      assertSame(await run(more), await run(batch), 1e-5);
    }
  });

  it('takes one mean over the targets of all rows, some of them masked', async () => {
    const targets = batch.targets.map((row, r) => Array.from(row, (t, i) => (i < 2 * r ? -1 : t)));
    await checkMean(model(), { rows: batch.rows, targets });
  });

  it('without a target there is no loss and nothing to learn', async () => {
    const { trainable, parameters } = loraSetup(model());
    const nothing = { rows: batch.rows, targets: batch.rows.map((row) => Array.from(row, () => -1)) };
    const result = await withBackprop(model(), trainable, {}, (b) => b.gradients(nothing));
    assert.deepEqual([result.loss, result.targets], [0, 0]);
    for (const name of parameters.keys())
      assert.ok(
        result.gradients.get(name)!.every((d) => d === 0),
        name,
      );
  });

  it('the loss alone is the loss of the backward pass', async () => {
    for (const { trainable } of await setups()) {
      await withBackprop(model(), trainable, {}, async (b) => {
        assert.equal((await b.loss(batch)).loss, (await b.gradients(batch)).loss);
      });
    }
  });

  describe('with a teacher', () => {
    const student = viewWithout(BLOCKS, [{ block: 2 }]);

    async function taught(weight: number | undefined, view: View = fullView(BLOCKS)): Promise<BatchResult> {
      const { trainable } = loraSetup(model(), { view: student });
      const teacher =
        weight === undefined
          ? undefined
          : await Teacher.open(model(), view, { weight, student: model(), headFrozen: true });
      try {
        return await withBackprop(model(), trainable, { teacher }, (b) => b.gradients(batch));
      } finally {
        await teacher?.close();
      }
    }

    it('of weight 0 nothing changes', async () => {
      assertSame(await taught(0), await taught(undefined), 1e-6);
    });

    it('of weight 1 the loss is the mean divergence, and in between the mixture of both', async () => {
      const [none, half, all] = [await taught(0), await taught(0.25), await taught(1)];
      assertClose(half.loss, 0.75 * none.loss + 0.25 * all.loss, { relative: 1e-5 }, 'mixed loss');
      for (const [name, gradient] of half.gradients) {
        const [a, b] = [none.gradients.get(name)!, all.gradients.get(name)!];
        assertGradientClose(gradient, a.map((d, i) => 0.75 * d + 0.25 * b[i]), 1e-4, name); // prettier-ignore
      }
    });

    it('that is the student itself there is nothing to learn', async () => {
      const { trainable, parameters } = loraSetup(model(), { view: student });
      for (const [name, { values }] of parameters) if (name.endsWith('.B')) values.fill(0);
      const teacher = await Teacher.open(model(), student, { weight: 1, student: model(), headFrozen: true });
      const { loss, gradients } = await withBackprop(model(), trainable, { teacher }, (b) => b.gradients(batch));
      await teacher.close();
      assert.ok(Math.abs(loss) < 1e-6, `loss ${loss}`);
      for (const [name, gradient] of gradients) assert.ok(Math.max(...gradient.map(Math.abs)) < 1e-6, name);
    });

    it('its divergence is Σ p_t (log p_t − log p) in float64', async () => {
      const { trainable, parameters } = loraSetup(model(), { view: student });
      for (const [name, { values }] of parameters) if (name.endsWith('.B')) values.fill(0);
      const teacher = await Teacher.open(model(), fullView(BLOCKS), { weight: 1, student: model(), headFrozen: true });
      const { loss } = await withBackprop(model(), trainable, { teacher }, (b) => b.gradients(batch));
      await teacher.close();
      assertClose(loss, divergence(), { absolute: 1e-5 }, 'divergence');
    });

    function divergence(): number {
      const reference = loadReference(folder);
      let sum = 0;
      let tokens = 0;
      for (const row of batch.rows) {
        const ids = Array.from(row);
        const logProbabilities = (view?: Parameters<typeof referenceForward>[2]): Float64Array[] =>
          referenceForward(reference, ids, view).logits.map((z) => z.map((v) => v - logSumExp(z)));
        const [whole, pruned] = [logProbabilities(), logProbabilities(referenceView(BLOCKS, { blocks: [2] }))];
        for (let t = 0; t + 1 < ids.length; t++, tokens++) {
          whole[t].forEach((logP, word) => (sum += Math.exp(logP) * (logP - pruned[t][word])));
        }
      }
      return sum / tokens;
    }
  });
});
