/** A teacher that is asked once says the same as one that is asked in every step. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { fullView, viewWithout } from '../../../src/engine/model/view';
import { Backprop } from '../../../src/engine/retrain/loop/backprop';
import { initialAdapters, loraModel } from '../../../src/engine/retrain/lora/lora-model';
import { microBatches } from '../../../src/engine/retrain/loop/batch';
import { KeptTeacher } from '../../../src/engine/retrain/teacher/kept-teacher';
import { KeptStatesFile } from '../../../src/engine/retrain/teacher/kept-states';
import { Teacher } from '../../../src/engine/retrain/teacher/teacher';
import { shiftedTargets } from '../../../src/engine/model/targets';
import type { Model } from '../../../src/engine/model/model';
import { assertClose, assertGradientClose } from '../../support/close';
import { withModel } from '../../support/model';
import { normal, randomRows } from '../../support/random';
import { tiny } from '../../support/retraining';
import { temporaryFolder } from '../../support/temporary';
import type { TinyName } from '../../support/tiny-models';

const VOCABULARY = 288;

describe('a teacher that is asked once', () => {
  const rows = [...randomRows(2, 16, VOCABULARY, 5), ...randomRows(2, 21, VOCABULARY, 6)];
  const batch = { rows, targets: rows.map((row) => shiftedTargets([row])) };
  const newFile = ({ checkpoint, architecture: { hidden } }: Model): Promise<KeptStatesFile> =>
    KeptStatesFile.open(join(temporaryFolder(), 'teacher.states'), { teacher: checkpoint.identity, hidden });

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

  const open = (model: Model, headFrozen = true): Promise<Teacher> =>
    Teacher.open(model, fullView(4), { weight: 0.7, student: model, headFrozen });

  // One family whose norms have an offset and whose logits have a factor or a cap, with a head of its own and a shared one.
  for (const [name, headFrozen] of [
    ['llama-plain', true],
    ['llama-plain', false],
    ['gemma2-softcap', true],
  ] as const satisfies readonly (readonly [TinyName, boolean])[]) {
    it(`teaches what the teacher does, without a pass of it the second time: ${name}, head ${headFrozen ? 'shared' : 'of its own'}`, async () => {
      await withModel(tiny(name), async (model) => {
        const teacher = await open(model, headFrozen);
        const expected = await gradients(model, teacher);
        let asked = 0;
        const states = teacher.states.bind(teacher);
        teacher.states = (micro) => (asked++, states(micro));
        const file = await newFile(model);
        for (const passes of [3, 3]) {
          const kept = new KeptTeacher(teacher, file);
          const { loss, gradients: found } = await gradients(model, kept);
          assertClose(loss, expected.loss, { absolute: 2e-4 }, 'loss'); // states in float16
          for (const [name, gradient] of expected.gradients) {
            assertGradientClose(found.get(name)!, Array.from(gradient), 2e-3, name);
          }
          assert.equal(asked, passes, 'a pass for each micro-batch, once');
          await kept.close();
        }
        assert.equal(file.rows, 4);
        await file.close();
      });
    });
  }

  it('asks for the rows that a file lacks, and only for them', async () => {
    await withModel(tiny('llama-plain'), async (model) => {
      const teacher = await open(model);
      const seen: number[] = [];
      const states = teacher.states.bind(teacher);
      teacher.states = (micro) => (seen.push(micro.rows.length), states(micro));
      const file = await newFile(model);
      const kept = new KeptTeacher(teacher, file);
      const [micro] = microBatches({ rows: rows.slice(0, 2), targets: batch.targets.slice(0, 2) }, 64);
      await kept.states({ ...micro, ids: micro.ids.slice(0, 16), rows: [0] }, rows);
      const first = await kept.states(micro, rows);
      assert.deepEqual(await kept.states(micro, rows), first);
      assert.deepEqual(seen, [1, 1]);
      await kept.close();
      await file.close();
    });
  });
});
