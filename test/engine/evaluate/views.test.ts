/**
 * What the results panel asks of the engine: many views in one pass, one plan after the other, texts side by side. Each
 * must give what the plain way gives, to the last bit.
 */
import assert from 'node:assert/strict';
import { curveEnd, removalCurve, removalsOf } from '../../../src/engine/evaluate/curve';
import { wholeOf } from '../../../src/engine/evaluate/compared';
import { generate } from '../../../src/engine/evaluate/generate';
import { writeSideBySide } from '../../../src/engine/evaluate/samples';
import { likenessOfViews, wholeStates } from '../../../src/engine/evaluate/likeness';
import { lossesOfViews } from '../../../src/engine/evaluate/views';
import { PlanPerplexity } from '../../../src/engine/evaluate/plan-perplexity';
import { CancelledError } from '../../../src/engine/errors';
import { withoutLayers } from '../../../src/engine/checkpoint/architecture';
import { parametersOf } from '../../../src/engine/checkpoint/parameters';
import { sweepLosses } from '../../../src/engine/importance/sweep';
import type { Model } from '../../../src/engine/model/model';
import { fullView, parseRemoved, stepsOf, type View, viewWithout } from '../../../src/engine/model/view';
import { checkpointFolder } from '../../support/golden';
import { describedModel, watchSessions, withModel } from '../../support/model';
import { randomRows, uniform } from '../../support/random';
import { describeShared, full } from '../../support/shared';
import { tinyCheckpoint } from '../../support/tiny-models';
import { comparedPerplexity } from '../../support/measuring';

const BLOCKS = 6;
const path = (): string => tinyCheckpoint('llama-gqa-tied', { config: { num_hidden_layers: BLOCKS } });
const rows = randomRows(5, 24, 288, 3);
const without = (list: string): View =>
  list === '' ? fullView(BLOCKS) : viewWithout(BLOCKS, parseRemoved(list, BLOCKS));

/** The plain way: the view alone. */
async function alone(model: Model, view: View): Promise<Float64Array> {
  return (await sweepLosses(model, rows, stepsOf(view), [])).full;
}

describe('views in one pass', () => {
  const model = describedModel(path);
  const lists = ['', '3', '3,4', '0,3,4', '5', '2.ffn', '2.attention,3', '3', '0-5'];

  it('give the losses of each view alone', async () => {
    const losses = await lossesOfViews(model(), rows, lists.map(without));
    for (const [i, list] of lists.entries()) {
      assert.deepEqual(losses[i], await alone(model(), without(list)), list);
    }
  });

  it('the same in groups of rows, where memory is short', async () => {
    const whole = await lossesOfViews(model(), rows, lists.map(without));
    await withModel(
      path(),
      async (poor) => assert.deepEqual(await lossesOfViews(poor, rows, lists.map(without)), whole),
      { memory: 24 * 64 * 4 * 2 },
    );
  });

  it('the same bits where groups of rows end between runs, with likeness too', async () => {
    const long = randomRows(7, 200, 288, 4); // three rows go in one run
    const views = ['', '3', '2.attention,4'].map(without);
    const measure = async (one: Model): Promise<unknown> => {
      const teacher = await wholeStates(one, long);
      try {
        return [await lossesOfViews(one, long, views), await likenessOfViews(one, teacher, long, views)];
      } finally {
        await teacher.close();
      }
    };
    const whole = await measure(model());
    const run = 3 * 200 * 64 * 4;
    const states = views.length + 2;
    await withModel(path(), async (poor) => assert.deepEqual(await measure(poor), whole), {
      memory: states * run + run / 2,
    });
  });

  it('share what they have in common: nested removals from the end cost one pass', async () => {
    const counts = watchSessions(model());
    await lossesOfViews(model(), rows, ['', '5', '4,5', '3-5'].map(without));
    assert.equal(counts.opened, BLOCKS + 1); // each block once, and the head
    assert.equal(counts.runs, BLOCKS + 4); // one chunk; the head for each view
    assert.equal(counts.open, 0);
  });

  it('report progress that ends at its total, and leave nothing open when cancelled', async () => {
    const counts = watchSessions(model());
    const controller = new AbortController();
    let last = { done: 0, total: 1 };
    await lossesOfViews(model(), rows, lists.map(without), { onProgress: (p) => (last = p) });
    assert.ok(Math.abs(last.done - last.total) < 1e-6 * last.total, `${last.done} of ${last.total}`);
    const job = { signal: controller.signal, onProgress: () => controller.abort() };
    await assert.rejects(lossesOfViews(model(), rows, lists.map(without), job), CancelledError);
    assert.equal(counts.open, 0);
  });
});

describe('removal curve', () => {
  const model = describedModel(path);

  it('follows the order of the scores, spares the kept, and counts what is left', async () => {
    const ranking = { kind: 'scores', scores: [9, 1, 5, 3, 2, 8] } as const;
    const removals = removalsOf(ranking, BLOCKS, new Set([0, 4]));
    assert.deepEqual(removals, [[], [1], [1, 3], [1, 2, 3], [1, 2, 3, 5]]);
    const points = await removalCurve(model(), rows, removals);
    assert.deepEqual(
      points.map(({ count }) => count),
      [0, 1, 2, 3, 4],
    );
    assert.deepEqual(
      points.map(({ parameters }) => parameters),
      removals.map((removed) => parametersOf(withoutLayers(model().architecture, removed))),
    );
    for (const { meanNll, ppl } of points) assert.equal(ppl, Math.exp(meanNll));
  });

  it('ends where the criterion says no more', () => {
    const windows = [1, 2].flatMap((size) => [0, 1, 2, 3].map((start) => ({ start, size, score: start })));
    assert.deepEqual(removalsOf({ kind: 'windows', windows }, BLOCKS, new Set()), [[], [0], [0, 1]]);
    assert.deepEqual(removalsOf({ kind: 'removals', removals: [4, 2] }, BLOCKS, new Set()), [[], [4], [2, 4]]);
    assert.deepEqual(removalsOf({ kind: 'scores', scores: [1, 2, 3] }, 3, new Set(), 1), [[], [0]]);
  });

  it('of a set has two points: nothing removed, and the set', () => {
    const ranking = { kind: 'set', set: [1, 2, 4] } as const;
    for (const most of [undefined, 3, 5]) {
      const removals = removalsOf(ranking, BLOCKS, new Set(), most);
      assert.deepEqual(removals, [[], [1, 2, 4]]);
      assert.equal(curveEnd(ranking, BLOCKS, new Set(), most, removals), undefined);
    }
    assert.throws(() => removalsOf(ranking, BLOCKS, new Set(), 2), { name: 'UserError', why: /one set of 3 blocks/ });
    assert.throws(() => removalsOf(ranking, BLOCKS, new Set([4])), { name: 'UserError', why: /block 4/ });
  });
});

describe('what if', () => {
  const model = describedModel(path);
  const BYTES = rows.length * rows[0].length * 64 * 4;

  for (const [name, states] of [
    ['with room for every state', 100],
    ['with room for three states', 3],
    ['with room for none', 0],
  ] as const) {
    it(`gives what the view alone gives, ${name}`, async () => {
      const whatIf = new PlanPerplexity(model(), rows, without(''), states * BYTES);
      const random = uniform(5);
      for (let i = 0; i < 12; i++) {
        const removed = Array.from({ length: BLOCKS }, (_, block) => ({ block })).filter(() => random() < 0.3);
        const view = viewWithout(BLOCKS, removed);
        const { tokens, meanNll, kl, top1 } = await whatIf.evaluate(view);
        if (i < 3 && removed.length > 0) {
          const compared = await comparedPerplexity({ model: model(), view }, wholeOf(model()), rows);
          assert.deepEqual([kl, top1], [compared.kl, compared.top1]);
        }
        const own = await alone(model(), view);
        assert.equal(tokens, own.length);
        assert.ok(Math.abs(meanNll - own.reduce((a, b) => a + b, 0) / own.length) < 1e-12);
      }
      whatIf.close();
    });
  }

  it('computes what follows the first difference, and nothing that it knows', async () => {
    const whatIf = new PlanPerplexity(model(), rows, without(''), 100 * BYTES);
    const computed = async (list: string): Promise<number> => (await whatIf.evaluate(without(list))).computed;
    assert.equal(await computed(''), 6);
    assert.equal(await computed('4'), 1); // block 5
    assert.equal(await computed('4,5'), 0); // only the head
    assert.equal(await computed('2,5'), 2); // blocks 3 and 4
    assert.equal(await computed('2.ffn,5'), 3); // 2.attention, 3, 4
    assert.equal(await computed('4'), 0); // remembered
    assert.equal(await computed('0'), 5);
    whatIf.close();
  });

  it('goes on from where it was cancelled', async () => {
    const whatIf = new PlanPerplexity(model(), rows, without(''), 100 * BYTES);
    const controller = new AbortController();
    let steps = 0;
    const onProgress = (): void => {
      if (++steps === 3) controller.abort();
    };
    await assert.rejects(whatIf.evaluate(without(''), { signal: controller.signal, onProgress }), CancelledError);
    const { computed, meanNll } = await whatIf.evaluate(without(''));
    assert.ok(computed <= 4, `${computed} computed`);
    const own = await alone(model(), without(''));
    assert.ok(Math.abs(meanNll - own.reduce((a, b) => a + b, 0) / own.length) < 1e-12);
    whatIf.close();
  });
});

describeShared('what if, of other blocks', () => {
  it('gives what the view alone gives, with Mamba and experts, delta nets, convolutions', async () => {
    const toys = ['granite4-hybrid', 'qwen35-text', 'lfm2-conv', 'mixtral-top2'] as const;
    for (const toy of full ? toys : toys.slice(0, 2)) {
      await withModel(checkpointFolder(`families3/${toy}`), async (model) => {
        const { length } = model.architecture.layers;
        const whatIf = new PlanPerplexity(model, rows, fullView(length), 2 ** 20);
        for (const list of ['', '3', '1,3', '1.ffn,4']) {
          const view = viewWithout(length, list === '' ? [] : parseRemoved(list, length));
          const { meanNll } = await whatIf.evaluate(view);
          const own = await alone(model, view);
          const expected = own.reduce((a, b) => a + b, 0) / own.length;
          assert.ok(Math.abs(meanNll - expected) < 1e-12, `${toy} without ${list}`);
        }
        whatIf.close();
      });
    }
  });
});

describe('texts side by side', () => {
  const model = describedModel(path);
  const columns = (lists: readonly string[]) =>
    lists.map((list, i) => ({ model: model(), view: without(list), promptIds: [1, 5, 9 + i] }));

  it('each is the text that its model writes alone', async () => {
    const options = { maxNewTokens: 10, temperature: 1.2, seed: 3, ignoreEos: true };
    const turns: number[][] = [];
    const texts = await writeSideBySide(columns(['', '2', '1.ffn']), options, (column, ids) => {
      turns.push([column, ids.length]);
    });
    for (const [i, { view, promptIds }] of columns(['', '2', '1.ffn']).entries()) {
      assert.deepEqual(texts[i].ids, (await generate(model(), promptIds, { ...options, view })).ids);
    }
    assert.deepEqual(turns.slice(0, 4), [
      [0, 4],
      [1, 4],
      [2, 4],
      [0, 4],
    ]);
    assert.equal(turns.length, 9);
  });

  it('have times without the first run of a session, which reads its weights', async () => {
    // A clock that only the first run of each session moves.
    let now = 0;
    const [clock, open] = [performance.now.bind(performance), model().openSession.bind(model())];
    performance.now = () => now;
    model().openSession = async (...settings) => {
      const session = await open(...settings);
      const run = session.run.bind(session);
      let isFirst = true;
      session.run = (...feeds) => {
        if (isFirst) now += 40_000;
        isFirst = false;
        return run(...feeds);
      };
      return session;
    };
    try {
      const options = { maxNewTokens: 3, greedy: true, ignoreEos: true };
      const texts = await writeSideBySide(columns(['', '2']), options, () => undefined);
      assert.ok(now >= 40_000, 'sessions were opened');
      assert.deepEqual(
        texts.map(({ timeToFirstToken }) => timeToFirstToken),
        [0, 0],
      );
    } finally {
      performance.now = clock;
      model().openSession = open;
    }
  });

  it('end where they are when they are cancelled', async () => {
    const counts = watchSessions(model());
    const controller = new AbortController();
    const options = { maxNewTokens: 50, greedy: true, ignoreEos: true };
    const texts = await writeSideBySide(columns(['', '2']), options, () => controller.abort(), {
      signal: controller.signal,
    });
    assert.deepEqual(
      texts.map(({ ids, stopped }) => [ids.length, stopped]),
      [
        [4, 'cancelled'],
        [0, 'cancelled'],
      ],
    );
    assert.equal(counts.open, 0);
  });
});
