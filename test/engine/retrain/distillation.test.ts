/** Distillation, on toy checkpoints: a teacher is what it says it is, and so is text that a model writes itself. */
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CancelledError } from '../../../src/engine/errors';
import { Backprop } from '../../../src/engine/retrain/loop/backprop';
import { initialAdapters, loraModel } from '../../../src/engine/retrain/lora/lora-model';
import { selfData } from '../../../src/engine/retrain/data/self-data';
import { Teacher } from '../../../src/engine/retrain/teacher/teacher';
import { shiftedTargets } from '../../../src/engine/model/targets';
import { fullView, viewWithout } from '../../../src/engine/model/view';
import { withModel } from '../../support/model';
import { randomRows } from '../../support/random';
import { temporaryFolder } from '../../support/temporary';
import { tinyCheckpoint } from '../../support/tiny-models';
import { textFile, losses, tiny, refused, run } from '../../support/retraining';

describe('retrain: a teacher', () => {
  const source = tiny('llama-plain');

  it('that is the student itself has nothing to teach', async () => {
    const settings = { method: { kind: 'lora', dropout: 0 } as const, steps: 1 };
    const { trace } = await run(source, settings, { teacherPath: source, weight: 1 });
    assert.ok(Math.abs(trace[0].loss) < 1e-5, String(trace[0].loss));
  });

  it('counts by its weight; what is held out is measured without it', async () => {
    const settings = { method: { kind: 'lora', dropout: 0 } as const, data: [textFile()], steps: 1, heldOut: 4 };
    const view = { removed: [{ block: 1 }] };
    const taught = (weight: number) => run(source, settings, { ...view, teacherPath: tiny('llama-plain', 2), weight });
    const [alone, all, half] = [await run(source, settings, view), await taught(1), await taught(0.5)];
    const expected = (alone.trace[0].loss + all.trace[0].loss) / 2;
    assert.ok(Math.abs(half.trace[0].loss - expected) < 1e-4);
    assert.ok(Math.abs(half.evaluations[0].loss - alone.evaluations[0].loss) < 1e-5);
  });

  it('says the same through its own head and the shared one, with sessions kept or not', async () => {
    await withModel(source, async (model) => {
      const view = viewWithout(4, [{ block: 1 }]);
      const shape = { rank: 4, alpha: 8, targets: ['q', 'down'] as const, dropout: false };
      const rows = [...randomRows(2, 16, 288, 5), ...randomRows(2, 24, 288, 6)];
      const batch = { rows, targets: rows.map((row) => shiftedTargets([row])) };
      const results = [];
      for (const [headFrozen, keepSessions] of [
        [true, true],
        [true, false],
        [false, true],
      ]) {
        const options = { weight: 0.7, student: model, headFrozen, keepSessions };
        const teacher = await Teacher.open(model, fullView(4), options);
        assert.equal(teacher.part.own === undefined, headFrozen);
        const trainable = loraModel(model, view, shape, initialAdapters(model, view, shape, 1));
        const backprop = await Backprop.create(model, trainable, { teacher });
        results.push([await backprop.gradients(batch), await backprop.gradients(batch)]);
        await backprop.close();
        await teacher.close();
      }
      assert.deepEqual(results[0], results[1]);
      const [[shared], , [own]] = results;
      assert.ok(Math.abs(shared.loss - own.loss) < 1e-5);
    });
  });

  it('may be wider than the student', async () => {
    const wide = tinyCheckpoint('llama-plain', { tokenizer: true, config: { hidden_size: 96 } });
    const { trace } = await run(source, { steps: 4 }, { teacherPath: wide });
    assert.ok(trace[3].loss < trace[0].loss);
  });

  it('of another vocabulary is refused', async () => {
    const other = tinyCheckpoint('llama-plain', { tokenizer: true, config: { vocab_size: 320 } });
    await refused(run(source, {}, { teacherPath: other }), /vocabulary has 320 tokens, the student's 288/);
  });
});

describe('retrain: text that the model writes itself', () => {
  const source = tiny('llama-gqa-tied');
  const settings = { data: 'self', selfTokens: 600, heldOut: 2, steps: 3 } as const;

  it('is the same for the same seed, and is learnt from', async () => {
    const removed = [{ block: 1 }];
    const [a, b] = [await run(source, settings, { removed }), await run(source, settings, { removed })];
    assert.deepEqual(losses(a), losses(b));
    assert.equal(a.data.train.examples + a.data.heldOut.examples, 19);
    assert.equal(a.data.files[0].sha256, b.data.files[0].sha256);
  });

  it('comes from the teacher where there is one', async () => {
    const other = tiny('llama-gqa-tied', 2);
    const [a, b] = [
      await run(source, { ...settings, steps: 1 }, { removed: [{ block: 1 }] }),
      await run(source, { ...settings, steps: 1 }, { removed: [{ block: 1 }], teacherPath: other }),
    ];
    assert.notEqual(a.data.files[0].sha256, b.data.files[0].sha256);
  });

  it('is kept as it comes: a run that is stopped writes the rest, and a file that is damaged does no harm', async () => {
    const cache = (): string => join(temporaryFolder(), 'self-data.json');
    await withModel(source, async (model) => {
      const options = { tokens: 18 * 8, length: 8, seed: 1, heldOut: 0, openings: [5, 6] };
      const write = async (file: string, stop = Infinity): Promise<{ sha256: string; tokens: number }> => {
        const abort = new AbortController();
        let tokens = 0;
        const onProgress = ({ done }: { done: number }): void => ((tokens = done) >= stop ? abort.abort() : undefined);
        const { describe: found } = await selfData(
          model,
          fullView(4),
          { ...options, cache: file },
          { signal: abort.signal, onProgress },
        );
        return { sha256: found.files[0].sha256, tokens };
      };
      const whole = cache();
      const expected = await write(whole);
      const stopped = cache();
      await assert.rejects(write(stopped, 16 * 7 + 1), CancelledError);
      const { sha256, tokens } = await write(stopped);
      assert.equal(sha256, expected.sha256);
      assert.ok(tokens < expected.tokens / 2, `${tokens} of ${expected.tokens} were left to write`);
      assert.equal(await readFile(stopped, 'utf8'), await readFile(whole, 'utf8'));
      const { key } = JSON.parse(await readFile(whole, 'utf8')) as { key: string };
      for (const damage of ['', '{"key"', 'null', '[]', JSON.stringify({ key, rows: [['a']] })]) {
        await writeFile(stopped, damage);
        assert.deepEqual(await write(stopped), expected, damage);
      }
    });
  });

  it('is refused when nobody but the student could write it', () =>
    refused(run(source, settings), /No model can write/));
});
