/**
 * Laws of the engine that need no reference: leaving out is rebuilding without, the sweep is removal one by one, and
 * neither the memory budget nor the company of other rows changes a number.
 */
import assert from 'node:assert/strict';
import { createRequire, syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';
import { generate } from '../../../src/engine/evaluate/generate';
import { scoreAngular } from '../../../src/engine/importance/criteria/angular';
import { scoreBlockInfluence } from '../../../src/engine/importance/criteria/block-influence';
import { scoreGreedy } from '../../../src/engine/importance/criteria/greedy';
import { scoreBlocks } from '../../../src/engine/importance/criteria/ppl';
import { sweepLosses } from '../../../src/engine/importance/sweep';
import { openCheckpoint } from '../../../src/engine/checkpoint/open';
import { writePruned } from '../../../src/engine/write/write-pruned';
import { fullView, stepsOf, viewWithout } from '../../../src/engine/model/view';
import { loadReference } from '../../reference/forward';
import { referenceGreedy, referenceLoss } from '../../reference/measures';
import { assertAllClose, assertClose } from '../../support/close';
import { decodedLogits, withModel } from '../../support/model';
import { randomRows } from '../../support/random';
import { temporaryFolder } from '../../support/temporary';
import { TINY_MODELS, tinyCheckpoint } from '../../support/tiny-models';
import { evaluatePerplexity } from '../../support/measuring';

const BLOCKS = 4;
const rows = randomRows(3, 24, 288, 21);
const removed = [{ block: 1 }, { block: 2 }];

describe('leaving blocks out is rebuilding the model without them', () => {
  for (const name of TINY_MODELS) {
    it(`${name}: the written model gives the same logits and losses, bit for bit`, async () => {
      const source = tinyCheckpoint(name);
      const out = join(temporaryFolder(), 'pruned');
      await writePruned(
        await openCheckpoint(source),
        removed.map((r) => r.block),
        out,
      );
      const view = viewWithout(BLOCKS, removed);
      const pieces = [rows[0].slice(0, 12), ...rows[0].slice(12).map((id) => [id])];
      const skipped = await withModel(source, async (model) => ({
        logits: await decodedLogits(model, pieces, view),
        losses: (await sweepLosses(model, rows, stepsOf(view), [])).full,
      }));
      const rebuilt = await withModel(out, async (model) => ({
        logits: await decodedLogits(model, pieces),
        losses: (await sweepLosses(model, rows, stepsOf(fullView(BLOCKS - 2)), [])).full,
      }));
      assert.deepEqual(rebuilt, skipped);
    });
  }
});

describe('the sweep is removal one by one', () => {
  for (const [what, split] of [
    ['blocks', false],
    ['modules', true],
  ] as const) {
    it(`${what}, bit for bit`, async () => {
      await withModel(tinyCheckpoint('qwen2-mixed-windows'), async (model) => {
        const steps = stepsOf(fullView(BLOCKS), split);
        const { full, without } = await sweepLosses(model, rows, steps, [...steps.keys()]);
        assert.deepEqual((await sweepLosses(model, rows, steps, [])).full, full);
        for (const k of steps.keys()) {
          const left = steps.filter((_, i) => i !== k);
          assert.deepEqual((await sweepLosses(model, rows, left, [])).full, without[k], `without step ${k}`);
        }
      });
    });
  }

  it('of a view, and of some candidates only', async () => {
    await withModel(tinyCheckpoint('llama-plain'), async (model) => {
      const view = viewWithout(BLOCKS, [{ block: 1 }, { block: 2, part: 'ffn' }]);
      const { blocks, order } = await scoreBlocks(model, rows, { view, seed: 1 });
      assert.deepEqual(
        blocks.map((b) => b.index),
        [0, 2, 3],
      );
      assert.deepEqual([...order].sort(), [0, 2, 3]);
      const steps = stepsOf(view);
      const some = await sweepLosses(model, rows, steps, [0, 2]);
      const all = await sweepLosses(model, rows, steps, [0, 1, 2]);
      assert.deepEqual(some.without, [all.without[0], all.without[2]]);
    });
  });

  it('greedy removal is a sweep, and a sweep of what that leaves', async () => {
    await withModel(tinyCheckpoint('llama-gqa-tied'), async (model) => {
      const { full, removals } = await scoreGreedy(model, rows, { count: 3 });
      const gone: { block: number }[] = [];
      for (const removal of removals) {
        const view = viewWithout(BLOCKS, gone);
        const sweep = await scoreBlocks(model, rows, { view, seed: 1 });
        if (gone.length === 0) assert.deepEqual(sweep.full, full);
        const lowest = sweep.blocks.find((b) => b.index === sweep.order[0])!;
        assert.deepEqual(removal, { block: lowest.index, meanNll: lowest.meanNll, ppl: lowest.ppl });
        gone.push({ block: removal.block });
      }
    });
  });

  it('greedy removal spares what is no candidate, and ends when there is none left', async () => {
    await withModel(tinyCheckpoint('llama-gqa-tied'), async (model) => {
      const { removals } = await scoreGreedy(model, rows, { count: 4, candidates: [1, 3] });
      assert.deepEqual(removals.map((r) => r.block).sort(), [1, 3]);
      const none = await scoreGreedy(model, rows, { count: 2, candidates: [] });
      assert.deepEqual(none.removals, []);
      assert.ok(none.full.meanNll > 0);
    });
  });
});

describe('the memory budget changes no number', () => {
  const folder = tinyCheckpoint('qwen3-qknorm', { config: { num_hidden_layers: 3 } });
  const many = randomRows(4, 16, 288, 22);
  const rowBytes = 16 * 64 * 4; // hidden states of one row
  const measure = (memory?: number) =>
    withModel(
      folder,
      async (model) => ({
        sweep: await scoreBlocks(model, many, { seed: 3 }),
        influence: await scoreBlockInfluence(model, many),
        angular: await scoreAngular(model, many),
        perplexity: await evaluatePerplexity(model, many.flat(), { window: 16, bos: 'none' }),
      }),
      { memory },
    );
  let unlimited: Awaited<ReturnType<typeof measure>>;
  before(async () => {
    unlimited = await measure();
  });
  for (const [what, states] of [
    ['two rows of every variant', 8],
    ['two variants of one row', 3],
    ['less than one state', 0.5],
  ] as const) {
    it(`room for ${what}`, async () => assert.deepEqual(await measure(states * rowBytes), unlimited));
  }
});

describe('a row is what it is', () => {
  it('alone and among others', async () => {
    await withModel(tinyCheckpoint('mistral-window'), async (model) => {
      const steps = stepsOf(fullView(BLOCKS));
      const { full } = await sweepLosses(model, rows, steps, []);
      for (const [r, row] of rows.entries()) {
        const alone = (await sweepLosses(model, [row], steps, [])).full;
        for (const [t, loss] of alone.entries()) assertClose(full[r * 23 + t], loss, { absolute: 1e-5 }, `row ${r}`);
      }
    });
  });

  it('whatever the number of threads', async () => {
    const folder = tinyCheckpoint('llama-plain');
    const score = (threads: number) => withModel(folder, (model) => scoreBlocks(model, rows, { seed: 1 }), { threads });
    assertClose((await score(1)).full.meanNll, (await score(2)).full.meanNll, { absolute: 1e-6 }, 'mean NLL');
  });
});

describe('a model without any block', () => {
  const folder = tinyCheckpoint('llama-plain');
  const nothing = viewWithout(
    BLOCKS,
    [0, 1, 2, 3].map((block) => ({ block })),
  );

  it('still has a perplexity and a text', async () => {
    await withModel(folder, async (model) => {
      const reference = loadReference(folder);
      const { meanNll } = await evaluatePerplexity(model, rows.flat(), { window: 24, bos: 'none', view: nothing });
      assertClose(meanNll, referenceLoss(reference, rows, nothing).meanNll, { absolute: 1e-5 }, 'mean NLL');
      const { ids } = await generate(model, rows[0], { maxNewTokens: 5, greedy: true, ignoreEos: true, view: nothing });
      assert.deepEqual(ids, referenceGreedy(reference, rows[0], 5, nothing).ids);
    });
  });

  it('has nothing to score', async () => {
    await withModel(folder, async (model) => {
      const { blocks, order } = await scoreBlocks(model, rows, { view: nothing, seed: 1 });
      assert.deepEqual([blocks, order], [[], []]);
      assert.deepEqual((await scoreBlockInfluence(model, rows, { view: nothing })).blocks, []);
      assert.deepEqual((await scoreAngular(model, rows, { view: nothing })).windows, []);
    });
  });
});

describe('a text that outgrows its cache', () => {
  const [long] = randomRows(1, 200, 288, 22);

  for (const name of ['llama-gqa-tied', 'mistral-window', 'qwen2-mixed-windows'] as const) {
    it(`${name}: goes on as if there had been room for all of it from the start`, () =>
      withModel(tinyCheckpoint(name), async (model) => {
        const pieces = [long.slice(0, 60), ...long.slice(60, 140).map((id) => [id]), long.slice(140)];
        const grown = (await decodedLogits(model, pieces)).at(-1)!;
        const [atOnce] = await decodedLogits(model, [long]);
        assertAllClose(grown, atOnce, { absolute: 1e-4 }, 'logits');
      }));
  }
});

describe('decoding on a machine that has no room for the model', () => {
  const os = createRequire(import.meta.url)('node:os') as typeof import('node:os');
  const { freemem } = os;
  const pretend = (free: () => number): void => {
    os.freemem = free;
    syncBuiltinESMExports();
  };
  after(() => pretend(freemem));

  it('opens a session per block, with the same logits', async () => {
    const pieces = [rows[0].slice(0, 20), ...rows[0].slice(20).map((id) => [id])];
    for (const view of [fullView(BLOCKS), viewWithout(BLOCKS, [{ block: 0 }, { block: 2, part: 'attention' }])]) {
      await withModel(tinyCheckpoint('qwen2-mixed-windows'), async (model) => {
        pretend(freemem);
        const whole = await decodedLogits(model, pieces, view);
        pretend(() => 0);
        assert.deepEqual(await decodedLogits(model, pieces, view), whole);
      });
    }
  });
});
