/** The pure parts of the importance chart: its scale, noise, where a suggestion ends, orders and ranges of blocks, keys. */
import assert from 'node:assert/strict';
import type { PanelPlan, ScoreDigest } from '../../../src/protocol/panel';
import { blocksBetween, removedAfter } from '../../../webview/panel/charts/block-range';
import { cellAfter } from '../../../webview/panel/charts/grid-move';
import {
  type Bar,
  barsOf,
  fieldsOf,
  orderOf,
  thresholdOf,
  toldOf,
} from '../../../webview/panel/charts/importance-facts';
import { toneOf } from '../../../webview/panel/charts/ranks';
import { type Measure, scaleOf, ticksOf } from '../../../webview/panel/charts/importance-scale';
import { normal } from '../../support/random';

const labels = (measure: Measure, scores: readonly number[], base: number): string[] =>
  ticksOf(scaleOf(measure, scores, [], base, false), base, 9)
    .sort((a, b) => a.amount - b.amount)
    .map(({ label }) => label);

const planOf = (removed: number[], more: Partial<PanelPlan> = {}): PanelPlan => ({
  ...{ removed, protected: [], locked: [], canUndo: false, canRedo: false, parameters: 1, bytes: 1, speedup: 1 },
  ...{ healingTime: '', warning: null, ...more },
});

/** Scores of perplexity by block; each interval is as wide as `wide` times the score, on either side. */
const scored = (values: readonly number[], wide?: number): ScoreDigest => ({
  criterion: 'ppl',
  full: 30,
  blocks: values.map((score, index) => ({
    index,
    score: Number.isFinite(score) ? score : 'Infinity',
    ...(wide !== undefined && { jointLow: score * (1 - wide), jointHigh: score * (1 + wide) }),
  })),
});
const bars = (values: readonly number[], plan = planOf([]), wide?: number): Bar[] =>
  barsOf(scored(values, wide), plan, values.length);

describe('scale of the importance chart', () => {
  it('shows an increase of 5 % and one of 300,000 % on one axis', () => {
    const scores = [89_000, 840, 31.9, 32.4, 36, 35, 37, 38, 40];
    const { log, placeOf, amountOf, bottom } = scaleOf('ratio', scores, [], 30.5, false);
    assert.ok(log);
    assert.equal(bottom, 0);
    const [most, , least, next] = scores.map((score) => placeOf(amountOf(score)));
    assert.ok(most > 0.9 && most < 1, `${most}`);
    assert.ok(least > 0.15, `the shortest bar is ${least} of the axis`);
    assert.ok(next - least > 0.02, 'what matters is told apart');
    assert.equal(placeOf(0), 0);
  });

  it('has ticks of round factors, apart from each other, and those below 1 where there are any', () => {
    assert.deepEqual(labels('ratio', [33, 36, 39, 300], 30), ['×1', '×1.02', '×1.1', '×1.2', '×1.5', '×3', '×10']);
    const scale = scaleOf('ratio', [33, 36, 39, 300], [], 30, false);
    const places = ticksOf(scale, 30, 9).map(({ amount }) => scale.placeOf(amount));
    assert.ok(places.slice(1).every((place, i) => place - places[i] >= 1 / 9));
    const around = labels('ratio', [24, 27, 33, 36], 30);
    assert.ok(around.includes('×0.9') && around.includes('×1') && around.includes('×1.1'), around.join());
    assert.ok(
      around.every((label) => label.length <= '×0.995'.length),
      around.join(),
    );
  });

  it('starts below the whole model for what is better without its block, and for a whisker that ends there', () => {
    const better = scaleOf('ratio', [27, 33], [], 30, false);
    assert.ok(better.bottom < Math.log(27 / 30));
    assert.ok(better.placeOf(0) > 0.3 && better.placeOf(better.amountOf(27)) < better.placeOf(0));
    const whisker = scaleOf('ratio', [33], [29, 36, NaN], 30, false);
    assert.ok(whisker.bottom < 0 && whisker.top > Math.log(36 / 30));
    const far = scaleOf('ratio', [33, 60, 900], [1, 36], 30, false);
    assert.ok(far.bottom < 0 && far.placeOf(0) < 0.25, `a whisker far below takes ${far.placeOf(0)} of the axis`);
    assert.equal(
      scaleOf('ratio', [27, 33], [1], 30, false).bottom < Math.log(27 / 30),
      true,
      'bars have all of theirs',
    );
  });

  it('is linear for scores of one size, and logarithmic for those of more than one and a half decades', () => {
    assert.equal(scaleOf('score', [5, 6, 7], [], 0, false).log, false);
    assert.deepEqual(labels('score', [500_000, 540_000], 0), [
      ...['0', '100,000', '200,000', '300,000', '400,000', '500,000'],
    ]);
    assert.equal(scaleOf('score', [0.02, 0.5], [], 0, false).log, false);
    assert.equal(scaleOf('score', [0.02, 1], [], 0, false).log, true);
    assert.equal(scaleOf('divergence', [0.35, 9], [], 0.3, false).log, true, 'of the difference to the base');
    assert.deepEqual(
      labels('divergence', [0.4, 0.5], 0.3).slice(0, 2),
      ['0.3', '0.35'],
      'the base is where bars start',
    );
  });

  it('has a place for a bar without an end, and for scores that are all the same or missing', () => {
    const endless = scaleOf('ratio', [33, 36], [], 30, true);
    assert.ok(endless.placeOf(endless.amountOf(36)) < 0.9);
    for (const scores of [[], [30], [30, 30]]) {
      const { top, bottom, placeOf } = scaleOf('ratio', scores, [], 30, false);
      assert.ok(top > bottom && placeOf(0) === 0, scores.join());
      assert.deepEqual(labels('ratio', scores, 30)[0], '×1');
    }
  });
});

describe('facts of the importance chart', () => {
  it('a block is noise if its interval reaches the whole model', () => {
    const values = [29, 30.5, 33, 60];
    assert.deepEqual(toldOf(bars(values, planOf([]), 0.05), scored(values)), { known: 4, noise: [0, 1] });
    assert.equal(toldOf(bars(values), scored(values)), undefined, 'without intervals nothing is known');
    const itself = { ...scored(values, 0.05), full: undefined, fullKl: 0 };
    assert.equal(toldOf(barsOf(itself, planOf([]), 4), itself), undefined, 'no divergence is below that from itself');
    const one = { ...scored([33]), blocks: [{ index: 0, score: 33, jointLow: 0, jointHigh: 'Infinity' as const }] };
    assert.deepEqual(toldOf(barsOf(one, planOf([]), 1), one), { known: 1, noise: [0] }, 'one row tells nothing');
  });

  it('a bar ends inside its field if its block is noise, and only then', () => {
    const next = normal(5);
    const values = Array.from({ length: 200 }, () => 30 * Math.exp(0.05 * next()));
    const halves = values.map(() => 0.1 * Math.abs(next()));
    const digest = {
      ...scored(values),
      blocks: values.map((score, index) => ({
        ...{ index, score },
        ...{ jointLow: score * Math.exp(-halves[index]), jointHigh: score * Math.exp(halves[index]) },
      })),
    };
    const amount = (score: number): number => Math.log(score / 30);
    const all = barsOf(digest, planOf([]), values.length);
    const fields = fieldsOf(all, digest, amount);
    assert.equal(fields.length, 200);
    const inside = fields
      .filter(({ block, half }) => Math.abs(amount(values[block])) <= half)
      .map(({ block }) => block);
    assert.deepEqual(inside, toldOf(all, digest)!.noise);
    assert.ok(inside.length > 50 && inside.length < 150, `${inside.length} of 200`);
    assert.deepEqual(fieldsOf(bars(values), scored(values), amount), []);
  });

  it('a suggestion ends between the last block that it takes and the next, of those that may go', () => {
    const values = [33, 31, 60, 36, 39, Infinity];
    const at = (plan: PanelPlan): number | undefined => thresholdOf(bars(values, plan), plan.removed.length, (x) => x);
    assert.equal(at(planOf([2])), 32, 'of 31 and 33, whichever block the plan has');
    assert.equal(at(planOf([2, 3])), 34.5);
    assert.equal(at(planOf([2], { protected: [1] })), 34.5, 'a protected block is not taken');
    assert.equal(at(planOf([2], { locked: [1], protected: [0] })), 37.5);
    assert.equal(at(planOf([])), undefined);
    assert.equal(at(planOf([0, 1, 2, 3, 4])), 60, 'before one without an end');
    assert.equal(at(planOf([0, 1, 2, 3, 4, 5])), undefined, 'it takes all');
  });

  it('orders blocks by position, or the least important first and those without a score last', () => {
    const digest = {
      ...scored([33, 31, 60]),
      blocks: scored([33, 31, 60, 32]).blocks.filter(({ index }) => index !== 2),
    };
    const found = barsOf(digest, planOf([]), 5);
    assert.deepEqual(orderOf(found, false), [0, 1, 2, 3, 4]);
    assert.deepEqual(orderOf(found, true), [1, 3, 0, 2, 4]);
  });
});

describe('ranges of blocks', () => {
  it('go from one to the other as the chart has them, in either direction', () => {
    assert.deepEqual(blocksBetween([0, 1, 2, 3, 4], 1, 3), [1, 2, 3]);
    assert.deepEqual(blocksBetween([0, 1, 2, 3, 4], 3, 1), [1, 2, 3]);
    assert.deepEqual(blocksBetween([4, 2, 0, 1, 3], 2, 1), [2, 0, 1]);
    assert.deepEqual(blocksBetween([0, 1], 1, 7), []);
  });

  it('are removed or kept but for locked blocks, and change nothing where all are so', () => {
    const plan = { removed: [3, 9], locked: [5] };
    assert.deepEqual(removedAfter(plan, [6, 5, 4, 3], true), [3, 4, 6, 9]);
    assert.deepEqual(removedAfter(plan, [2, 3, 4], false), [9]);
    assert.equal(removedAfter(plan, [3], true), undefined);
    assert.equal(removedAfter(plan, [5], true), undefined);
    assert.deepEqual(removedAfter({ removed: [10], locked: [] }, [9], true), [9, 10], 'by number, not by text');
  });
});

describe('table of ranks', () => {
  it('has a tone for every fifth of the ranks, the strongest first', () => {
    assert.deepEqual(
      [1, 2, 3, 4, 5].map((rank) => toneOf(rank, 5)),
      [0, 1, 2, 3, 4],
    );
    assert.deepEqual(
      [1, 6, 7, 30].map((rank) => toneOf(rank, 30)),
      [0, 0, 1, 4],
    );
    assert.deepEqual(
      [1, 2].map((rank) => toneOf(rank, 2)),
      [0, 2],
    );
  });

  it('moves by keys inside its edges', () => {
    const after = (key: string, r: number, c: number) => cellAfter(key, r, c, 2, 4);
    assert.deepEqual(after('ArrowRight', 0, 3), { r: 0, c: 3 });
    assert.deepEqual(after('ArrowDown', 0, 2), { r: 1, c: 2 });
    assert.deepEqual(after('ArrowUp', 0, 2), { r: 0, c: 2 });
    assert.deepEqual(after('Home', 1, 2), { r: 1, c: 0 });
    assert.deepEqual(after('End', 1, 2), { r: 1, c: 3 });
    assert.equal(after('a', 1, 2), undefined);
  });
});
