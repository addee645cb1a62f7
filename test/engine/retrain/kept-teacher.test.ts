/** A teacher that is asked once says the same as one that is asked in every step. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { fullView, viewWithout } from '../../../src/engine/model/view';
import { Backprop } from '../../../src/engine/retrain/loop/backprop';
import { initialAdapters, loraModel } from '../../../src/engine/retrain/lora/lora-model';
import { microBatches } from '../../../src/engine/retrain/loop/batch';
import { HeadLoss } from '../../../src/engine/model/head-loss';
import { KeptTeacher } from '../../../src/engine/retrain/teacher/kept-teacher';
import { Teacher } from '../../../src/engine/retrain/teacher/teacher';
import { shiftedTargets } from '../../../src/engine/model/targets';
import type { Model } from '../../../src/engine/model/model';
import { assertAllClose, assertClose, assertGradientClose } from '../../support/close';
import { withModel } from '../../support/model';
import { normal, randomRows } from '../../support/random';
import { tiny } from '../../support/retraining';
import { temporaryFolder } from '../../support/temporary';
import type { TinyName } from '../../support/tiny-models';

const VOCABULARY = 288;

describe('a teacher that is asked once', () => {
  const rows = [...randomRows(2, 16, VOCABULARY, 5), ...randomRows(2, 21, VOCABULARY, 6)];
  const batch = { rows, targets: rows.map((row) => shiftedTargets([row])) };
  const newPath = (): string => join(temporaryFolder(), 'teacher.states');

  /** Loss and gradients with a teacher. */
  async function gradients(model: Model, teacher: Teacher | KeptTeacher) {
    const view = viewWithout(4, [{ block: 1 }]);
    const shape = { rank: 4, alpha: 8, targets: ['q', 'down'] as const, dropout: false };
    const parameters = initialAdapters(model, view, shape, 1);
    const next = normal(3);
    for (const { values } of parameters.values()) values.forEach((_, i) => (values[i] = 0.1 * next()));
    const trainable = loraModel(model, view, shape, parameters);
    const backprop = await Backprop.create(model, trainable, { teacher, tokensPerRun: 40 });
    const found = await backprop.gradients(batch);
    await backprop.close();
    return found;
  }

  const open = (model: Model, trained = false): Promise<Teacher> =>
    Teacher.open(model, fullView(4), { weight: 0.7, student: model, headFrozen: !trained });

  // Norms with an offset, a factor and a cap on the logits, a head of its own and a shared one. Logits with a cap, and a head that is
  // not the student's, need the teacher's states, which are kept in float16. Else nothing is rounded.
  const [exact, rounded] = [
    { loss: 2e-6, gradient: 1e-4 },
    { loss: 2e-4, gradient: 2e-3 },
  ];
  for (const [name, isOther, within] of [
    ['llama-plain', false, exact],
    ['gemma-tied', false, exact],
    ['granite-multipliers', false, exact],
    ['llama-plain', true, rounded],
    ['gemma2-softcap', false, rounded],
  ] as const satisfies readonly (readonly [TinyName, boolean, object])[]) {
    it(`teaches what the teacher does, without a pass of it the second time: ${name}, head ${isOther ? 'of its own' : 'shared'}`, async () => {
      await withModel(tiny(name), async (model) => {
        const teacher = await open(model, isOther);
        const expected = await gradients(model, teacher);
        let asked = 0;
        const states = teacher.states.bind(teacher);
        teacher.states = (micro) => (asked++, states(micro));
        const path = newPath();
        for (const round of [1, 2]) {
          const kept = await KeptTeacher.open(teacher, { model, headFrozen: true }, path);
          assert.equal(kept.part.byExpectation, within === exact);
          const { loss, gradients: found } = await gradients(model, kept);
          assertClose(loss, expected.loss, { absolute: within.loss }, 'loss');
          for (const [name, gradient] of expected.gradients) {
            assertGradientClose(found.get(name)!, Array.from(gradient), within.gradient, name);
          }
          assert.equal(asked, 3, `a pass for each micro-batch, once; round ${round}`);
          await kept.close();
        }
      });
    });
  }

  it('says no word about positions without a target, and the same about the others', async () => {
    await withModel(tiny('llama-plain'), async (model) => {
      const kept = await KeptTeacher.open(await open(model), { model, headFrozen: true }, newPath());
      const head = await HeadLoss.open(model, { teacher: kept.part });
      const [{ hidden }, [row]] = [model.architecture, rows];
      const targets = shiftedTargets([row]);
      const some = targets.map((target, t) => (t % 3 === 0 ? target : -1));
      const [all, asked] = await Promise.all(
        [targets, some].map(async (each) => {
          const [micro] = microBatches({ rows: [row], targets: [each] }, 64);
          return (await kept.states(micro, [row], head)).expected!;
        }),
      );
      for (const [t, target] of some.entries()) {
        const mean = asked.mean.subarray(t * hidden, (t + 1) * hidden);
        if (target === -1) {
          assert.ok(mean.every((x) => x === 0) && asked.entropy[t] === 0, String(t));
        } else {
          assertAllClose(mean, all.mean.subarray(t * hidden, (t + 1) * hidden), { absolute: 1e-5 }, `mean ${t}`);
          assertClose(asked.entropy[t], all.entropy[t], { absolute: 1e-5 }, `entropy ${t}`);
        }
      }
      await head.close();
      await kept.close();
    });
  });

  it('asks for the rows that a file lacks, and only for them', async () => {
    await withModel(tiny('llama-plain'), async (model) => {
      const teacher = await open(model);
      const seen: number[] = [];
      const states = teacher.states.bind(teacher);
      teacher.states = (micro) => (seen.push(micro.rows.length), states(micro));
      const kept = await KeptTeacher.open(teacher, { model, headFrozen: true }, newPath());
      const head = await HeadLoss.open(model, { teacher: kept.part });
      const [micro] = microBatches({ rows: rows.slice(0, 2), targets: batch.targets.slice(0, 2) }, 64);
      await kept.states({ ...micro, ids: micro.ids.slice(0, 16), rows: [0] }, rows, head);
      const first = await kept.states(micro, rows, head);
      assert.deepEqual(await kept.states(micro, rows, head), first);
      assert.deepEqual(seen, [1, 1]);
      await head.close();
      await kept.close();
    });
  });
});
