/** A teacher that is asked once says the same as one that is asked in every step. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { LikelyHead } from '../../../src/engine/model/likely-words';
import { fullView, viewWithout } from '../../../src/engine/model/view';
import { selfData } from '../../../src/engine/retrain/data/self-data';
import { Backprop } from '../../../src/engine/retrain/loop/backprop';
import { initialAdapters, loraModel } from '../../../src/engine/retrain/lora/lora-model';
import { microBatches } from '../../../src/engine/retrain/loop/batch';
import { KeptTeacher } from '../../../src/engine/retrain/teacher/kept-teacher';
import { KeptWordsFile } from '../../../src/engine/retrain/teacher/kept-words';
import { Teacher } from '../../../src/engine/retrain/teacher/teacher';
import { shiftedTargets } from '../../../src/engine/model/targets';
import type { Model } from '../../../src/engine/model/model';
import { assertAllClose, assertClose, assertGradientClose } from '../../support/close';
import { withModel } from '../../support/model';
import { normal, randomRows } from '../../support/random';
import { loadReference, logSumExp, referenceForward } from '../../reference/forward';
import { losses, run, textFile, tiny } from '../../support/retraining';
import { temporaryFolder } from '../../support/temporary';

const VOCABULARY = 288;
const newFile = (): string => join(temporaryFolder(), 'teacher.words');

describe('a teacher that is asked once', () => {
  const source = tiny('llama-plain');
  const rows = [...randomRows(2, 16, VOCABULARY, 5), ...randomRows(2, 21, VOCABULARY, 6)];
  const batch = { rows, targets: rows.map((row) => shiftedTargets([row])) };
  const from = (model: Model, words: number) => {
    return { teacher: model.checkpoint.identity, words, vocabulary: VOCABULARY };
  };

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

  const open = (model: Model): Promise<Teacher> =>
    Teacher.open(model, fullView(4), { weight: 0.7, student: model, headFrozen: true });

  it('of all words teaches what the teacher does, the second time without a pass of it', async () => {
    await withModel(source, async (model) => {
      const teacher = await open(model);
      const expected = await gradients(model, teacher);
      let asked = 0;
      const states = teacher.states.bind(teacher);
      teacher.states = (micro) => (asked++, states(micro));
      const file = await KeptWordsFile.open(newFile(), from(model, VOCABULARY));
      for (const passes of [3, 3]) {
        const kept = new KeptTeacher(teacher, file, VOCABULARY);
        const { loss, gradients: found } = await gradients(model, kept);
        assertClose(loss, expected.loss, { absolute: 1e-5 }, 'loss');
        for (const [name, gradient] of expected.gradients) {
          assertGradientClose(found.get(name)!, Array.from(gradient), 1e-4, name);
        }
        assert.equal(asked, passes, 'a pass for each micro-batch, once');
        await kept.close();
      }
      assert.equal(file.rows, 4);
      await file.close();
    });
  });

  it('asks for the rows that a file lacks, and only for them', async () => {
    await withModel(source, async (model) => {
      const teacher = await open(model);
      const path = newFile();
      const seen: number[] = [];
      const states = teacher.states.bind(teacher);
      teacher.states = (micro) => (seen.push(micro.rows.length), states(micro));
      const file = await KeptWordsFile.open(path, from(model, 16));
      const kept = new KeptTeacher(teacher, file, 16);
      const [micro] = microBatches({ rows: rows.slice(0, 2), targets: batch.targets.slice(0, 2) }, 64);
      await kept.states({ ...micro, ids: micro.ids.slice(0, 16), rows: [0] }, rows);
      await kept.states(micro, rows);
      await kept.states(micro, rows);
      assert.deepEqual(seen, [1, 1]);
      await kept.close();
      await file.close();
    });
  });

  it('keeps the most likely words, in order, with the probabilities of the float64 reference', async () => {
    await withModel(source, async (model) => {
      const teacher = await open(model);
      const [micro] = microBatches({ rows: rows.slice(0, 2), targets: batch.targets.slice(0, 2) }, 64);
      const head = await LikelyHead.open(model, 8);
      const { words, shares } = await head.run((await teacher.states(micro)).states!);
      await head.close();
      await teacher.close();
      const reference = loadReference(source);
      for (const [r, row] of rows.slice(0, 2).entries()) {
        referenceForward(reference, Array.from(row)).logits.forEach((z, t) => {
          const p = Array.from(z, (v) => Math.exp(v - logSumExp(z)));
          const at = 8 * (16 * r + t);
          const best = [...p].sort((a, b) => b - a).slice(0, 8);
          assertAllClose([...shares.subarray(at, at + 8)], best, { absolute: 1e-6 }, 'shares');
          assertAllClose([...words.subarray(at, at + 8)].map((id) => p[id]), best, { absolute: 1e-6 }, 'words'); // prettier-ignore
        });
      }
    });
  });

  it('is written down in the pass that writes the text', async () => {
    await withModel(source, async (model) => {
      const file = await KeptWordsFile.open(newFile(), from(model, 16));
      const keep = { words: 16, add: file.add.bind(file) };
      const options = { tokens: 96, length: 24, seed: 1, heldOut: 0, openings: [5, 6], cache: newFile(), keep };
      const { train } = await selfData(model, fullView(4), options, {});
      assert.equal(file.rows, 4);
      const teacher = await open(model);
      const other = await KeptWordsFile.open(newFile(), from(model, 16));
      const kept = new KeptTeacher(teacher, other, 16);
      const written = { rows: train.map(({ ids }) => ids), targets: train.map(({ ids }) => shiftedTargets([ids])) };
      for (const micro of microBatches(written, 48)) {
        const { likely } = await kept.states(micro, written.rows);
        for (const [place, row] of micro.rows.entries()) {
          const own = (await file.read(written.rows[row]))!;
          const count = 16 * (micro.length - 1); // nothing follows the last token
          const at = 16 * micro.length * place;
          const expected = likely!.shares.subarray(at, at + count);
          assertAllClose([...own.shares.subarray(0, count)], [...expected], { absolute: 4e-5 }, 'shares');
        }
      }
      await kept.close();
      await Promise.all([file.close(), other.close()]);
    });
  });

  it('is in the record, and trains as without a file of its own text', async () => {
    const settings = { method: { kind: 'lora', dropout: 0 }, data: [textFile()], steps: 3 } as const;
    const { record, trace } = await run(source, settings, { removed: [{ block: 1 }], teacherPath: source });
    assert.equal(record.settings.teacherWords, VOCABULARY);
    assert.equal(trace.length, 3);
    assert.ok(losses({ trace } as Parameters<typeof losses>[0]).every(Number.isFinite));
  });
});
