/** The loss on hidden states: its number and its gradient in float64, its place in the stream, and who may teach. */
import assert from 'node:assert/strict';
import { openCheckpoint } from '../../../src/engine/checkpoint/open';
import { HiddenLoss } from '../../../src/engine/model/hidden-loss';
import { fullView, viewWithout } from '../../../src/engine/model/view';
import type { BatchResult } from '../../../src/engine/retrain/loop/backprop';
import { matchingBlock } from '../../../src/engine/retrain/teacher/hidden-target';
import { type HiddenTarget, Teacher } from '../../../src/engine/retrain/teacher/teacher';
import { writePruned } from '../../../src/engine/write/write-pruned';
import { loadReference, logSumExp, referenceForward, type ReferenceTensor } from '../../reference/forward';
import { referenceView } from '../../reference/measures';
import { assertAllClose, assertClose, assertGradientClose } from '../../support/close';
import { directionalDerivative, dot } from '../../support/differences';
import { describedModel } from '../../support/model';
import { normal, randomRows } from '../../support/random';
import { losses, newPlace, refused, run, textFile, tiny } from '../../support/retraining';
import { tinyCheckpoint } from '../../support/tiny-models';
import { fullSetup, loraSetup, textBatch, withBackprop, type TrainingSetup } from '../../support/training';

const BLOCKS = 5;
/** The last block goes too, so that the student's last block is not the teacher's. */
const REMOVED = [1, 4];
const LAST = 3;
const VOCABULARY = 48;
const ROWS = [10, 8, 5].flatMap((length, i) => randomRows(1, length, VOCABULARY, 81 + i));
const config = {
  hidden_size: 16,
  intermediate_size: 20,
  head_dim: 4,
  num_hidden_layers: BLOCKS,
  vocab_size: VOCABULARY,
};

describe('the loss on hidden states', () => {
  const folder = tinyCheckpoint('llama-gqa-tied', { config });
  const model = describedModel(() => folder);
  const student = viewWithout(
    BLOCKS,
    REMOVED.map((block) => ({ block })),
  );

  async function taught(
    { trainable }: TrainingSetup,
    hidden: HiddenTarget | undefined,
    { weight = 0.4, headFrozen = false, keepSessions = true, tokensPerRun = 16 } = {},
  ): Promise<BatchResult> {
    const teacher = await Teacher.open(model(), fullView(BLOCKS), {
      weight,
      hidden,
      student: model(),
      headFrozen,
      keepSessions,
    });
    try {
      return await withBackprop(model(), trainable, { teacher, tokensPerRun }, (b) => b.gradients(textBatch(ROWS)));
    } finally {
      await teacher.close();
    }
  }

  it('is 1 − cosine at the same place of the stream, and every weight has its gradient', async () => {
    const reference = loadReference(folder);
    const wide = ({ shape, values }: ReferenceTensor) => ({ shape, values: Float64Array.from(values) });
    const tensors = new Map([...reference.tensors].map(([key, tensor]) => [key, wide(tensor)]));
    const whole = ROWS.map((ids) => referenceForward(reference, ids));
    const view = referenceView(BLOCKS, { blocks: REMOVED });
    const loss = (): number => {
      let [sum, tokens] = [0, 0];
      for (const [r, ids] of ROWS.entries()) {
        const { logits, residuals } = referenceForward({ ...reference, tensors }, ids, view);
        for (let t = 0; t + 1 < ids.length; t++, tokens++) {
          const log = (z: Float64Array): Float64Array => z.map((v) => v - logSumExp(z));
          const [own, theirs] = [log(logits[t]), log(whole[r].logits[t])];
          const divergence = theirs.reduce((total, p, word) => total + Math.exp(p) * (p - own[word]), 0);
          // Residuals of the reference are those before each block, removed ones included.
          const [x, y] = [residuals[LAST][t], whole[r].residuals[LAST][t]];
          const distance = 1 - dot(x, y) / Math.sqrt(dot(x, x) * dot(y, y));
          sum += -0.6 * own[ids[t + 1]] + 0.4 * divergence + 0.7 * distance;
        }
      }
      return sum / tokens;
    };
    const setup = await fullSetup(model(), student);
    const found = await taught(setup, { weight: 0.7, block: LAST });
    assertClose(found.loss, loss(), { absolute: 1e-5 }, 'loss');
    const next = normal(83);
    for (const [name, gradient] of found.gradients) {
      const random = Float64Array.from(gradient, next);
      const norm = Math.sqrt(dot(gradient, gradient));
      const direction = random.map((r, i) => r / Math.sqrt(random.length) + gradient[i] / norm);
      // The student's blocks are numbered without those that are left out: 0, 2, 3.
      const origin = name.replace(/layers\.(\d)/, (_, k: string) => `layers.${[0, 2, 3][Number(k)]}`);
      const expected = directionalDerivative(loss, tensors.get(origin)!.values, direction);
      assertClose(dot(gradient, direction), expected, { relative: 1e-4 }, name);
    }
  });

  it('moves only blocks before the last one', async () => {
    const setup = loraSetup(model(), { view: student });
    const [without, with_] = [await taught(setup, undefined), await taught(setup, { weight: 2, block: LAST })];
    for (const [name, gradient] of with_.gradients) {
      const other = without.gradients.get(name)!;
      if (name.startsWith('2.')) assert.deepEqual(gradient, other, name);
      else assert.notDeepEqual(gradient, other, name);
    }
  });

  it('is the same however the batch is cut, and whatever the teacher keeps open', async () => {
    const setup = loraSetup(model(), { view: student });
    const hidden = { weight: 0.7, block: LAST };
    const first = await taught(setup, hidden, { headFrozen: true });
    const closing = await taught(setup, hidden, { headFrozen: true, keepSessions: false });
    assert.deepEqual(closing, first);
    const whole = await taught(setup, hidden, { headFrozen: true, tokensPerRun: 1024 });
    assertClose(whole.loss, first.loss, { relative: 1e-5 }, 'loss');
    for (const [name, gradient] of first.gradients) {
      assertGradientClose(whole.gradients.get(name)!, gradient, 1e-5, name);
    }
  });

  it('is precise where both states nearly agree, and finite for a state of zeros', async () => {
    const { hidden } = model().architecture;
    const next = normal(5);
    const teacher = Float32Array.from({ length: 2 * hidden }, next);
    const x = Float32Array.from(teacher, (v, i) => (i < hidden ? v * (1 + 1e-3 * next()) : 0));
    const own = await HiddenLoss.open(model(), 1);
    const near = await own.run(x.subarray(0, hidden), teacher.subarray(0, hidden), [1], 1);
    const both = await own.run(x, teacher, [1, 1], 1);
    await own.close();
    const [a, b] = [x, teacher].map((v) => Float64Array.from(v.subarray(0, hidden)));
    assertClose(near.loss, 1 - dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b)), { relative: 1e-3 }, 'near');
    assert.ok(near.loss < 1e-5 && near.loss > 0, String(near.loss));
    assertAllClose([both.loss - near.loss], [0.5], { absolute: 1e-5 }, 'half the square of the teacher’s unit vector');
    assert.ok(both.dx.every(Number.isFinite));
  });
});

describe('retrain --hidden-weight', () => {
  const source = tiny('llama-plain');
  const method = { kind: 'lora', dropout: 0 } as const;

  it('adds to the loss, and says so in the record', async () => {
    const settings = { method, data: [textFile()], steps: 1, heldOut: 0 };
    const context = { removed: [{ block: 1 }], teacherPath: source };
    const of = (hiddenWeight?: number) => run(source, settings, { ...context, hiddenWeight });
    const [none, zero, one, two] = [await of(), await of(0), await of(1), await of(2)];
    assert.deepEqual(losses(zero), losses(none));
    assert.deepEqual([zero.record.settings.hiddenWeight, two.record.settings.hiddenWeight], [undefined, 2]);
    const distance = one.trace[0].loss - none.trace[0].loss;
    assert.ok(distance > 0.01, String(distance));
    assertClose(two.trace[0].loss - none.trace[0].loss, 2 * distance, { relative: 1e-4 }, 'twice as much');
  });

  it('a teacher of another width is refused; without this loss it may teach', async () => {
    const wide = tinyCheckpoint('llama-plain', { tokenizer: true, config: { hidden_size: 96 } });
    await refused(run(source, { steps: 1 }, { teacherPath: wide, hiddenWeight: 1 }), /96 numbers, the student's 64/);
    await run(source, { steps: 1 }, { teacherPath: wide });
  });

  it('compares at the same depth: of a view, of a pruned checkpoint by its record, else before the last block', async () => {
    const pruned = newPlace();
    await writePruned(await openCheckpoint(source), [1, 3], pruned);
    const [whole, two] = await Promise.all(
      [source, pruned].map(async (path) => {
        const checkpoint = await openCheckpoint(path);
        return { checkpoint, architecture: checkpoint.architecture! };
      }),
    );
    assert.equal(await matchingBlock(whole, whole, []), 3);
    assert.equal(await matchingBlock(whole, whole, [3]), 2);
    assert.equal(await matchingBlock(whole, two, []), 2);
    assert.equal(await matchingBlock(whole, two, [1]), 0);
    const unknown = { ...two, checkpoint: { ...two.checkpoint, folder: source, home: source } };
    assert.equal(await matchingBlock(whole, unknown, []), 3);
  });
});
