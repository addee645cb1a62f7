/** Long operations as their callers see them: progress, cancelling, and what is refused. */
import assert from 'node:assert/strict';
import { CancelledError, UserError } from '../../src/engine/errors';
import { generate } from '../../src/engine/evaluate/generate';
import { heal } from '../../src/engine/heal/heal';
import { scoreAngular } from '../../src/engine/importance/criteria/angular';
import { scoreBlockInfluence } from '../../src/engine/importance/criteria/block-influence';
import { scoreGreedy } from '../../src/engine/importance/criteria/greedy';
import { scoreMagnitude } from '../../src/engine/importance/criteria/magnitude';
import { scoreSearch } from '../../src/engine/importance/criteria/search';
import { scoreModules, scoreBlocks } from '../../src/engine/importance/criteria/ppl';
import type { JobOptions, Progress } from '../../src/engine/progress';
import type { Model } from '../../src/engine/model/model';
import { viewWithout } from '../../src/engine/model/view';
import { watchSessions, withModel } from '../support/model';
import { randomRows } from '../support/random';
import { tinyCheckpoint } from '../support/tiny-models';
import { evaluatePerplexity } from '../support/measuring';

const rows = randomRows(3, 16, 288, 31);
const folder = tinyCheckpoint('llama-gqa-tied');

const FOLD = { method: 'fold', heldOut: randomRows(2, 16, 288, 32) } as const;

/** Every long operation of the engine that reads weights. */
const JOBS: Record<string, (model: Model, job: JobOptions) => Promise<unknown>> = {
  'block perplexity': (model, job) => scoreBlocks(model, rows, { seed: 1 }, job),
  'module perplexity': (model, job) => scoreModules(model, rows, { seed: 1 }, job),
  greedy: (model, job) => scoreGreedy(model, rows, { count: 2 }, job),
  search: (model, job) => scoreSearch(model, rows, { count: 2, seed: 1, generations: 2, now: () => 0 }, job),
  'block influence': (model, job) => scoreBlockInfluence(model, rows, {}, job),
  angular: (model, job) => scoreAngular(model, rows, {}, job),
  magnitude: (model, job) => scoreMagnitude(model.weights, undefined, job),
  evaluate: (model, job) => evaluatePerplexity(model, rows.flat(), { window: 16, bos: 'stream' }, job),
  healing: (model, job) => heal(model, viewWithout(4, [{ block: 1 }]), rows, { method: 'refit' }, job),
  'healing by a fold': (model, job) => heal(model, viewWithout(4, [{ block: 0 }, { block: 2 }]), rows, FOLD, job),
  'healing by a factor': (model, job) => heal(model, viewWithout(4, [{ block: 2 }]), rows, { method: 'scalar' }, job),
  generate: (model, job) => generate(model, rows[0], { maxNewTokens: 8, greedy: true, ignoreEos: true }, job),
};

for (const [name, start] of Object.entries(JOBS)) {
  describe(`job: ${name}`, () => {
    it('reports progress that only grows and ends at the total', async () => {
      const seen: Progress[] = [];
      await withModel(folder, (model) => start(model, { onProgress: (p) => seen.push(p) }));
      let done = 0;
      let total = 0;
      for (const p of seen) {
        if (p.total !== total) done = 0; // a greedy round is a job of its own
        assert.ok(p.done >= done && p.done <= p.total * (1 + 1e-9), `${p.done} of ${p.total} after ${done}`);
        assert.ok(p.label !== '' && p.unit !== '');
        ({ done, total } = p);
      }
      assert.ok(Math.abs(done - total) <= 1e-9 * total, `ended at ${done} of ${total}`);
    });

    it('stops at once when cancelled, leaves no session open, and can start again', async () => {
      await withModel(folder, async (model) => {
        const sessions = watchSessions(model);
        const result = withoutTimes(await start(model, {}));
        const whole = { ...sessions };
        assert.equal(whole.open, 0);
        const abort = new AbortController();
        let reports = 0;
        const onProgress = (): void => {
          reports++;
          abort.abort();
        };
        await assert.rejects(start(model, { signal: abort.signal, onProgress }), CancelledError);
        assert.equal(reports, 1, 'work went on after the first report');
        assert.ok(sessions.runs - whole.runs <= 1);
        assert.equal(sessions.open, 0);
        assert.deepEqual(withoutTimes(await start(model, {})), result);
      });
    });

    it('does at most one run when cancelled before it starts', async () => {
      await withModel(folder, async (model) => {
        const sessions = watchSessions(model);
        await assert.rejects(start(model, { signal: AbortSignal.abort() }), CancelledError);
        assert.ok(sessions.runs <= 1, `${sessions.runs} runs`);
        assert.equal(sessions.open, 0);
      });
    });
  });
}

/** Without what a clock says. */
function withoutTimes(result: unknown): unknown {
  const isTime = (key: string): boolean => key.endsWith('PerSecond') || key === 'timeToFirstToken';
  return Object.fromEntries(Object.entries(result as object).filter(([key]) => !isTime(key)));
}

describe('jobs in an event loop', () => {
  it('let a timer cancel them', async () => {
    await withModel(folder, async (model) => {
      const abort = new AbortController();
      setTimeout(() => abort.abort(), 0);
      const many = randomRows(400, 16, 288, 32);
      await assert.rejects(scoreBlocks(model, many, { seed: 1 }, { signal: abort.signal }), CancelledError);
    });
  });
});

describe('jobs refuse', () => {
  const refused = (start: (model: Model) => Promise<unknown>, words: RegExp): Promise<void> =>
    withModel(folder, async (model) => {
      const sessions = watchSessions(model);
      await assert.rejects(start(model), (error) => {
        assert.ok(error instanceof UserError, String(error));
        assert.match(error.message, words);
        assert.ok(error.action.length > 0);
        return true;
      });
      assert.equal(sessions.open, 0);
    });

  it('ids beyond the vocabulary, below it and between', async () => {
    for (const id of [288, 1e9, -1, 1.5, NaN]) {
      const row = [1, id, 2, 3];
      const words = new RegExp(`Token id ${id} .*288`);
      await refused((model) => scoreBlocks(model, [row], { seed: 1 }), words);
      await refused((model) => generate(model, row, { maxNewTokens: 1, greedy: true }), words);
    }
    await refused((model) => evaluatePerplexity(model, [1, 2, 300, 4], { window: 4, bos: 'none' }), /Token id 300/);
  });

  it('an empty prompt and one that fills the context', async () => {
    const greedy = { maxNewTokens: 4, greedy: true };
    await refused((model) => generate(model, [], greedy), /no prompt/);
    await refused((model) => generate(model, new Array<number>(256).fill(1), greedy), /256/);
  });
});

describe('generation', () => {
  it('stops where the context ends, at the wanted length, and at an end of text unless told not to', async () => {
    await withModel(folder, async (model) => {
      const options = { maxNewTokens: 8, greedy: true, ignoreEos: true };
      const long = await generate(model, new Array<number>(253).fill(1), options);
      assert.deepEqual([long.ids.length, long.stopped], [3, 'context']);
      const wanted = await generate(model, rows[0], options);
      assert.deepEqual([wanted.ids.length, wanted.stopped], [8, 'length']);
      assert.deepEqual((await generate(model, rows[0], { ...options, maxNewTokens: 0 })).ids, []);
    });
    const { ids } = await withModel(folder, (model) =>
      generate(model, rows[0], { maxNewTokens: 8, greedy: true, ignoreEos: true }),
    );
    const end = ids[3]; // the same model, had it learnt that this token ends a text
    await withModel(tinyCheckpoint('llama-gqa-tied', { config: { eos_token_id: [end] } }), async (model) => {
      const ended = await generate(model, rows[0], { maxNewTokens: 8, greedy: true });
      assert.deepEqual([ended.ids, ended.stopped], [ids.slice(0, ids.indexOf(end)), 'eos']);
      const through = await generate(model, rows[0], { maxNewTokens: 8, greedy: true, ignoreEos: true });
      assert.deepEqual(through.ids, ids);
    });
  });

  it('streams each token as it is chosen, and draws the same for the same seed', async () => {
    await withModel(folder, async (model) => {
      const write = async (seed: number) => {
        const streamed: number[] = [];
        const onToken = (id: number): void => void streamed.push(id);
        const options = { maxNewTokens: 12, temperature: 1.5, topK: 50, topP: 0.95, seed, ignoreEos: true, onToken };
        const { ids } = await generate(model, rows[0], options);
        assert.deepEqual(streamed, ids);
        return ids;
      };
      assert.deepEqual(await write(1), await write(1));
      assert.notDeepEqual(await write(1), await write(2));
    });
  });
});
