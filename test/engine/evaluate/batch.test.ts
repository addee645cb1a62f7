/** Texts written side by side are the texts that are written alone, whatever the batch. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CancelledError } from '../../../src/engine/errors';
import type { BatchText } from '../../../src/engine/evaluate/batch';
import { generate } from '../../../src/engine/evaluate/generate';
import { measureRates } from '../../../src/engine/evaluate/grid/rates';
import { runGrid } from '../../../src/engine/evaluate/grid/run-grid';
import { writePrompts, type WriteOptions } from '../../../src/engine/evaluate/write-prompts';
import type { Model } from '../../../src/engine/model/model';
import { fullView, viewWithout } from '../../../src/engine/model/view';
import { completeOptions } from '../../../src/jobs/complete';
import { JOBS } from '../../../src/jobs/definitions';
import { runJob } from '../../../src/jobs/run-job';
import { describedModel, watchSessions } from '../../support/model';
import { temporaryFolder } from '../../support/temporary';
import { full, itFull } from '../../support/shared';
import { tinyCheckpoint } from '../../support/tiny-models';

/** Of lengths that differ, and one that is longer than a run. */
const PROMPTS = [[1, 5, 9], [7], [3, 40, 5, 60, 80, 100, 31], [7], [1, 5, 9, 11]].concat([
  Array.from({ length: 300 }, (_, i) => 3 + ((i * 37) % 250)),
]);

async function together(model: Model, options: WriteOptions): Promise<BatchText[]> {
  const texts: BatchText[] = [];
  await writePrompts(model, PROMPTS, options, (some, written) => written.forEach((text, i) => (texts[some[i]] = text)));
  return texts;
}

for (const [f, family] of (['llama-gqa-tied', 'mistral-window'] as const).entries()) {
  describe(`texts side by side, ${family}`, () => {
    const model = describedModel(() =>
      tinyCheckpoint(family, { config: { max_position_embeddings: 320, num_hidden_layers: 3 } }),
    );

    const choices = [
      ['greedy', { greedy: true }],
      ['sampled', { temperature: 1.3, topK: 40, topP: 0.9, seed: 5 }],
    ] as const;
    for (const [c, [name, choice]] of choices.entries()) {
      // Each family writes in one of the ways.
      (c === f ? it : itFull)(`${name}: each is the text that is written alone, in batches of any size`, async () => {
        const options = { maxNewTokens: 24, ...choice, view: viewWithout(3, [{ block: 1, part: 'attention' }]) };
        const alone = [];
        for (const prompt of PROMPTS) alone.push(await generate(model(), prompt, options));
        const expected = alone.map(({ ids, stopped }) => ({ ids, stopped }));
        for (const size of full ? [6, 4] : [4])
          assert.deepEqual(await together(model(), { ...options, together: size }), expected);
      });
    }

    (f === 1 ? it : itFull)('end where each ends: at the end of a text, at the context', async () => {
      const { eosTokenIds } = model().architecture;
      const ended = [];
      for (const prompt of PROMPTS) {
        ended.push(await generate(model(), prompt, { maxNewTokens: 30, temperature: 30, seed: 2 }));
      }
      const texts = await together(model(), { maxNewTokens: 30, temperature: 30, seed: 2, together: 6 });
      assert.deepEqual(
        texts,
        ended.map(({ ids, stopped }) => ({ ids, stopped })),
      );
      assert.equal(texts[5].stopped, 'context');
      assert.ok(eosTokenIds.length === 0 || texts.every(({ ids }) => !ids.includes(eosTokenIds[0])));
    });
  });
}

describe('generate --prompts', () => {
  const model = tinyCheckpoint('llama-gqa-tied', { tokenizer: true });

  it('writes a file that is complete or not there', async () => {
    const folder = temporaryFolder();
    const [prompts, out] = [join(folder, 'prompts.txt'), join(folder, 'texts.jsonl')];
    writeFileSync(prompts, 'The river\nIn the evening she\nA stone\n');
    const given = { checkpoint: model, prompts, out, maxNewTokens: 6, device: 'cpu', batch: 2 } as const;
    const options = completeOptions(JOBS.generate, given);
    const around = { hooks: {}, emit: () => undefined };
    const controller = new AbortController();
    const onProgress = (): void => controller.abort();
    const stopped = runJob('generate', options, { ...around, job: { signal: controller.signal, onProgress } });
    await assert.rejects(stopped, CancelledError);
    assert.ok(!existsSync(out));

    const { result } = await runJob('generate', options, { ...around, job: {} });
    assert.ok('texts' in result);
    const written = readFileSync(out, 'utf8').trimEnd().split('\n');
    assert.deepEqual(
      written.map((line) => JSON.parse(line) as unknown),
      result.texts,
    );
    for (const { prompt, ids, text } of result.texts) {
      const one = completeOptions(JOBS.generate, { checkpoint: model, prompt, maxNewTokens: 6, device: 'cpu' });
      const { result: alone } = await runJob('generate', one, { ...around, job: {} });
      assert.ok('ids' in alone);
      assert.deepEqual([ids, text], [alone.ids, alone.text]);
    }
  });
});

describe('grid', () => {
  const model = describedModel(() => tinyCheckpoint('llama-gqa-tied'));
  const deviceRates = () => Promise.resolve({ flopsPerSecond: 1e11, bytesPerSecond: 1e10 });
  const protocol = { batches: [1, 3], newTokens: [2, 5], runs: 2, warmup: 0, deviceRates };
  const subjects = () => [
    { label: 'whole', model: model(), view: fullView(4), prompts: [[1, 5], [7]] },
    { label: 'shorter', model: model(), view: viewWithout(4, [{ block: 1 }, { block: 2 }]), prompts: [[1, 5]] },
  ];

  it('measures every cell of every model, and leaves nothing open', async () => {
    const counts = watchSessions(model());
    let last = { done: 0, total: 1 };
    const onProgress = (progress: typeof last): void => void (last = progress);
    const { models, inTurns, rates } = await runGrid(subjects(), { ...protocol, seed: 3, topK: 5 }, { onProgress });
    assert.equal(counts.open, 0);
    assert.equal(last.done, last.total);
    assert.ok(inTurns && rates.after.flopsPerSecond === 1e11);
    for (const [i, { cells, ideal, blocks }] of models.entries()) {
      assert.deepEqual([ideal, blocks], i === 0 ? [null, 4] : [2, 2]);
      assert.deepEqual(
        cells.map(({ batch, newTokens }) => [newTokens, batch]),
        [
          [2, 1],
          [2, 3],
          [5, 1],
          [5, 3],
        ],
      );
      for (const { outcome, measured, predicted, batch, newTokens } of cells) {
        assert.ok(outcome === 'measured' && measured);
        const { times, throughput, firstToken, latency, laterToken, peakBytes, speedUp, busy } = measured;
        assert.equal(times.length, 2);
        assert.ok(
          Math.abs(throughput.mean / ((batch * newTokens) / times[0] / 2 + (batch * newTokens) / times[1] / 2) - 1) <
            1e-9,
        );
        assert.ok(firstToken.mean < latency.mean && laterToken!.mean > 0 && busy > 0);
        assert.ok(peakBytes.mean > 0 && predicted.total > predicted.fixed);
        assert.equal(speedUp === null, i === 0);
      }
    }
  });

  it('measures what the device can do', async () => {
    const { flopsPerSecond, bytesPerSecond } = await measureRates({ provider: 'cpu', threads: 1 });
    assert.ok(flopsPerSecond > 1e8 && bytesPerSecond! > 1e8);
  });

  it('does not run what would not fit, and says what it needs', async () => {
    const counts = watchSessions(model());
    const { models } = await runGrid(subjects(), { ...protocol, limit: 1000 });
    assert.ok(counts.runs <= 2); // one token each: what an open model takes
    for (const { outcome, measured, predicted } of models.flatMap(({ cells }) => cells)) {
      assert.deepEqual([outcome, measured], ['oom', undefined]);
      assert.ok(predicted.total > 1000);
    }
  });

  it('ends a series at its first failure, and stops when it is cancelled', async () => {
    const openSession = model().openSession.bind(model());
    const counts = watchSessions(model());
    const controller = new AbortController();
    const job = {
      signal: controller.signal,
      onProgress: ({ done }: { done: number }) => done > 0 && controller.abort(),
    };
    await assert.rejects(runGrid(subjects(), { ...protocol, seed: 3 }, job), CancelledError);
    assert.equal(counts.open, 0);
    model().openSession = async (...settings) => {
      const session = await openSession(...settings);
      const run = session.run.bind(session);
      session.run = (feeds, ...more) => {
        if (feeds.ends?.dims[0] === 3) throw new RangeError('Array buffer allocation failed');
        return run(feeds, ...more);
      };
      return session;
    };
    const { models } = await runGrid(subjects().slice(0, 1), { ...protocol, runs: 1, batches: [1, 3, 4] });
    assert.deepEqual(
      models[0].cells.map(({ outcome }) => outcome),
      ['measured', 'failed', 'failed', 'measured', 'failed', 'failed'],
    );
  });
});
