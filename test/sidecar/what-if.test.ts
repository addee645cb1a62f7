/** What-if requests: the checkpoint stays open while its files stay the same, and a change of any of them is noticed. */
import assert from 'node:assert/strict';
import { appendFileSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openCheckpoint } from '../../src/engine/checkpoint/open';
import { CancelledError, UserError } from '../../src/engine/errors';
import { withWeights } from '../../src/engine/weights/checkpoint';
import { writeGguf } from '../../src/engine/write/gguf/write-gguf';
import type { ViewPerplexity, ViewPerplexityParams, ViewPrepareParams } from '../../src/protocol/short';
import { writePatch } from '../support/patches';
import { temporaryFolder } from '../support/temporary';
import { material } from './material';
import { describedClient } from './started';

describe('what-if requests', function () {
  this.timeout(60_000);
  const { model, text } = material();
  const config = join(model, 'config.json');
  const client = describedClient();
  const calibration = { file: text, samples: 4, length: 24, seed: 1234 };
  const ask = (changes: Partial<ViewPerplexityParams> = {}): Promise<ViewPerplexity> =>
    client().request('view/perplexity', { checkpoint: model, device: 'cpu', threads: 1, calibration, ...changes });
  /** Whole seconds, which every file system keeps. */
  const dated = (file: string, seconds: number): void => utimesSync(file, seconds, seconds);

  it('measure the whole model and a plan in one request, as two requests do', async () => {
    const both = await ask({ remove: [1], whole: true });
    const [whole, plan] = [await ask(), await ask({ remove: [1] })];
    assert.deepEqual([both.whole, both.ppl], [{ ppl: whole.ppl }, plan.ppl]);
    assert.notEqual(whole.ppl, plan.ppl);
    assert.equal(plan.whole, undefined);
    assert.ok((plan.kl as number) > 0 && (plan.top1 as number) < 1, 'how far the plan is from the whole model');
    assert.deepEqual([whole.kl, both.kl, both.top1], [undefined, plan.kl, plan.top1]);
  });

  it('about a GGUF file have the numbers of the checkpoint it was written from, and notice a new file', async () => {
    const gguf = join(temporaryFolder(), 'model.gguf');
    const write = async (): Promise<void> => {
      const checkpoint = await openCheckpoint(model);
      await withWeights(checkpoint, (weights) => writeGguf(checkpoint, weights, gguf, { type: 'f32' }));
    };
    await write();
    const expected = await ask({ remove: [1], whole: true });
    const found = await ask({ checkpoint: gguf, remove: [1], whole: true });
    assert.deepEqual([found.ppl, found.whole, found.kl], [expected.ppl, expected.whole, expected.kl]);
    assert.equal((await ask({ checkpoint: gguf, remove: [1] })).stepsComputed, 0, 'it is still open');
    rmSync(gguf);
    await write();
    const again = await ask({ checkpoint: gguf, remove: [1] });
    assert.equal(again.ppl, expected.ppl);
    assert.ok(again.stepsComputed > 0, 'opened again');
  });

  it('are answered in int8 where a quick answer is enough, with the whole model in int8 too', async () => {
    const exact = await ask({ remove: [1], whole: true });
    const quick = await ask({ remove: [1], quick: true });
    assert.deepEqual([exact.precision, quick.precision], ['float32', 'int8']);
    const change = ({ ppl, whole }: ViewPerplexity): number => Math.log(Number(ppl) / Number(whole!.ppl));
    assert.notEqual(quick.ppl, exact.ppl);
    assert.ok(Math.abs(change(quick) - change(exact)) < 0.05, `${change(quick)} nats, and exactly ${change(exact)}`);
    assert.equal(quick.kl, undefined, 'it takes as long as the head once more');
    assert.equal((await ask({ remove: [1] })).stepsComputed, 0, 'the exact model is still open');
  });

  it('do not open the checkpoint again while its files stay the same', async () => {
    const before = readFileSync(config);
    dated(config, 1_600_000_000);
    const { ppl } = await ask({ remove: [2] });
    const { ino } = statSync(config);
    writeFileSync(config, Buffer.alloc(before.length, '!')); // in place, and with the same time: only opening it tells
    dated(config, 1_600_000_000);
    assert.equal(statSync(config).ino, ino);
    const again = await ask({ remove: [2] });
    assert.deepEqual([again.ppl, again.stepsComputed], [ppl, 0]);
    assert.ok((await ask({ remove: [3] })).stepsComputed > 0);

    dated(config, 1_600_000_001);
    await assert.rejects(ask({ remove: [2] }), UserError);
    writeFileSync(config, before);
    const restored = await ask({ remove: [2] });
    assert.equal(restored.ppl, ppl);
    assert.ok(restored.stepsComputed > 0, 'opened again');
  });

  it('notice new weights of the same size', async () => {
    const weights = join(model, 'model.safetensors');
    const before = readFileSync(weights);
    const { ppl } = await ask({ remove: [2] });
    const changed = Buffer.from(before);
    changed.subarray(changed.length - 4096).reverse();
    writeFileSync(weights, changed);
    assert.notEqual((await ask({ remove: [2] })).ppl, ppl);
    writeFileSync(weights, before);
    assert.equal((await ask({ remove: [2] })).ppl, ppl);
  });

  it('look at healed weights, and notice when they change', async () => {
    const heal = join(temporaryFolder(), 'healed.safetensors');
    await writePatch(heal, model, [1]);
    const healed = await ask({ heal });
    const plain = await ask({ remove: [1] });
    assert.equal(healed.parameters, plain.parameters);
    assert.notEqual(healed.ppl, plain.ppl);
    assert.equal((await ask({ heal })).ppl, healed.ppl);
    rmSync(heal);
    await writePatch(heal, model, [1], { seed: 6 });
    assert.notEqual((await ask({ heal })).ppl, healed.ppl);
  });

  it('notice another calibration text', async () => {
    const { calibration: rows } = await ask();
    appendFileSync(text, '\n\nOne more paragraph, which a reader of the text finds at its end.');
    assert.notEqual((await ask()).calibration.sha256, rows.sha256);
  });

  describe('before the first one', () => {
    const other = describedClient();
    const fresh = { checkpoint: material(5).model, device: 'cpu', threads: 1, calibration } as const;
    const prepare = async (changes: Partial<ViewPrepareParams> = {}): Promise<boolean> =>
      (await other().request('view/prepare', { ...fresh, ...changes })).prepared;

    it('nothing is prepared while a job runs, nor what takes long, nor of a text that is not there', async () => {
      const controller = new AbortController();
      const bench = { kind: 'bench', checkpoint: model, device: 'cpu', newTokens: 16, repeats: 100_000 } as const;
      const job = other().run(bench, { signal: controller.signal });
      assert.equal(await prepare(), false, 'a job runs');
      controller.abort();
      await assert.rejects(job, CancelledError);
      assert.equal(await prepare({ calibration: { ...calibration, samples: 200_000, length: 128 } }), false, 'long');
      await assert.rejects(prepare({ calibration: { ...calibration, file: `${text}.gone` } }), UserError);
    });

    it('the model is: then that computes what comes after the first removed block, with the same numbers', async () => {
      assert.equal(await prepare({ whole: true }), true);
      const found = await other().request('view/perplexity', { ...fresh, remove: [3], whole: true });
      assert.deepEqual([found.stepsComputed, found.steps], [1, 4]);
      const expected = await ask({ ...fresh, remove: [3], whole: true });
      assert.equal(expected.stepsComputed, 1);
      assert.deepEqual(
        [found.ppl, found.kl, found.top1, found.whole],
        [expected.ppl, expected.kl, expected.top1, expected.whole],
      );
    });

    it('what is prepared is told: the perplexity of the original, and how long it took', async () => {
      const { seconds, whole, calibration: rows } = await other().request('view/prepare', { ...fresh, whole: true });
      const expected = await ask(fresh);
      assert.deepEqual([whole, rows], [{ ppl: expected.ppl }, expected.calibration]);
      assert.ok(seconds! >= 0);
    });

    for (const [name, interrupt] of [
      ['a question', (plan: ViewPerplexityParams) => other().request('view/perplexity', plan)],
      ['a job', () => other().run({ kind: 'bench', checkpoint: model, device: 'cpu', newTokens: 2, repeats: 1 }, {})],
    ] as const) {
      it(`${name} ends preparing in the middle, and the next answer has the same numbers`, async () => {
        const file = join(temporaryFolder(), `${name}.txt`);
        writeFileSync(file, Array<string>(10).fill(readFileSync(text, 'utf8')).join('\n\n'));
        const long = { ...calibration, file, samples: 400, length: 120 };
        const plan = { ...fresh, calibration: long, remove: [1] };
        const preparing = prepare({ whole: true, calibration: long });
        await new Promise((done) => setTimeout(done, 300)); // it takes some seconds
        const [prepared] = await Promise.all([preparing, interrupt(plan)]);
        assert.equal(prepared, false);
        const [found, expected] = [await other().request('view/perplexity', plan), await ask(plan)];
        assert.deepEqual([found.ppl, found.kl], [expected.ppl, expected.kl]);
      });
    }
  });

  it('about one checkpoint cancel each other, about two do not', async () => {
    const other = material(5).model;
    const [overtaken, newest, beside] = await Promise.allSettled([
      ask({ remove: [4] }),
      ask({ remove: [1, 4] }),
      ask({ checkpoint: other, remove: [4] }),
    ]);
    assert.ok(overtaken.status === 'rejected' && overtaken.reason instanceof CancelledError);
    assert.deepEqual([newest.status, beside.status], ['fulfilled', 'fulfilled']);
  });
});
