/** When `auto` screens: where the counted work behind a screen is clearly less than that of float32. */
import assert from 'node:assert/strict';
import { type Architecture, withLayers } from '../../../src/engine/checkpoint/architecture';
import { openCheckpoint, requireArchitecture } from '../../../src/engine/checkpoint/open';
import { plainLayer, plainShape } from '../../../src/engine/checkpoint/kinds/plain';
import {
  arithmeticOf,
  expectedRace,
  expectedScreen,
  isWorthScreening,
} from '../../../src/engine/importance/arithmetic';
import { exactShare, screenedWork, sweepWork } from '../../../src/engine/importance/cost';
import { scoringFlops } from '../../../src/engine/importance/estimate';
import { checkpointFolder } from '../../support/golden';

const BLOCKS = 30;
const ROWS = { rows: 10, length: 128 };

describe('a screen', () => {
  /** In the shapes of SmolLM2-135M-Instruct. */
  let a: Architecture;
  before(async () => {
    const sample = requireArchitecture(await openCheckpoint(checkpointFolder('sample')));
    const [layer] = sample.layers;
    const wide = plainLayer({ ...plainShape(layer), heads: 9, kvHeads: 3, headDim: 64, ffn: 1536 });
    const one: Architecture = {
      ...sample,
      hidden: 576,
      vocabulary: 49152,
      layers: Array<typeof layer>(BLOCKS).fill(wide),
    };
    a = withLayers(one, [...one.layers.keys()]);
  });

  const isWorth = (exact: number, change: Partial<Parameters<typeof isWorthScreening>[0]> = {}): boolean =>
    isWorthScreening({
      criterion: 'ppl',
      architecture: a,
      rows: ROWS,
      parts: BLOCKS,
      candidates: BLOCKS,
      exact,
      ...change,
    });

  it('is expected to take the time that was measured: of float32, 0.78 to 0.86 with six exact blocks, 0.92 to 1.11 with ten', () => {
    const all = [...a.layers.keys()];
    const sweep = (some: readonly number[]): number => sweepWork(a, BLOCKS, some);
    for (const [exact, least, most] of [
      [6, 0.78, 0.86],
      [10, 0.92, 1.11],
    ]) {
      const work = screenedWork({ architecture: a, tokens: 1280 }, all, exact, sweep);
      const share = (work.screen + work.exact + work.further) / sweep(all);
      assert.ok(share > least && share < most, `${exact} exact: ${share}`);
      const screened = scoringFlops(a, 'ppl', ROWS, { exact });
      assert.ok(Math.abs(screened / scoringFlops(a, 'ppl', ROWS) / share - 1) < 1e-9, 'estimates count the same');
    }
  });

  it('is what auto takes if it saves a fifth: with few exact blocks, and rows enough', () => {
    assert.ok(isWorth(4));
    assert.ok(!isWorth(exactShare(BLOCKS)));
    assert.ok(!isWorth(BLOCKS));
    assert.ok(!isWorth(4, { candidates: 4 }), 'the other blocks are kept');
    assert.ok(!isWorth(4, { rows: { rows: 10, length: 16 } }), 'the rounding of the weights counts more');
    assert.ok(isWorth(4, { rows: { rows: 100, length: 128 } }), 'and less');
    assert.ok(isWorth(8, { parts: 2 * BLOCKS, candidates: 2 * BLOCKS }), 'of attention and FFN, the same share');
    assert.ok(!isWorth(4, { criterion: 'taylor' }));
    assert.ok(isWorth(1, { criterion: 'greedy', scope: { count: 8 } }), 'each round wants the least one only');
    const short = withLayers(a, [0, 1]);
    assert.ok(!isWorth(1, { architecture: short, parts: 2, candidates: 2 }));
  });

  it('is taken on the CPU alone, and wherever the number of exact blocks is asked for', () => {
    const task = {
      criterion: 'ppl',
      architecture: a,
      rows: ROWS,
      parts: BLOCKS,
      candidates: BLOCKS,
      exact: 10,
      provider: 'cpu',
    } as const;
    assert.equal(arithmeticOf('auto', task), 'as opened');
    assert.equal(arithmeticOf('auto', { ...task, isAsked: true }), 'screened');
    assert.equal(arithmeticOf('auto', { ...task, isAsked: true, exact: BLOCKS }), 'as opened');
    assert.equal(arithmeticOf('auto', { ...task, isAsked: true, provider: 'webgpu' }), 'as opened');
    assert.equal(arithmeticOf('auto', { ...task, exact: 4 }), 'screened');
    assert.equal(arithmeticOf('auto', { ...task, exact: 4, provider: 'webgpu' }), 'as opened');
    assert.equal(arithmeticOf('float32', { ...task, exact: 4 }), 'as opened');
    assert.equal(arithmeticOf('int8', task), 'int8');
  });

  it('is in estimates where auto is expected to take it', () => {
    assert.deepEqual(expectedScreen(a, 'ppl', ROWS, { exact: 4 }), { exact: 4 });
    assert.deepEqual(expectedScreen(a, 'ppl', ROWS, {}), {});
    assert.deepEqual(expectedScreen(a, 'greedy', ROWS, { count: 8, exact: 20 }), { exact: 1 });
    const greedy = scoringFlops(a, 'greedy', ROWS, { count: 8, exact: 1 });
    assert.ok(greedy < 0.8 * scoringFlops(a, 'greedy', ROWS, { count: 8 }));
  });

  it('leaves a race less than all rows in estimates, and all of them where no race is expected', () => {
    const raced = expectedRace(a, 'kl', ROWS, { exact: 6 });
    assert.ok(raced > 0.5 && raced < 1, String(raced));
    // Rounds want one block each.
    assert.ok(expectedRace(a, 'greedy', ROWS, { count: 6, objective: 'kl' }) < raced);
    // By loss, a race for many takes longer than all rows.
    assert.equal(expectedRace(a, 'ppl', ROWS, { exact: 6 }), 1);
    const few = expectedRace(a, 'ppl', ROWS, { exact: 3 });
    assert.ok(few > raced && few < 1, String(few));
    for (const criterion of ['taylor', 'magnitude', 'healed'] as const) {
      assert.equal(expectedRace(a, criterion, ROWS, { exact: 6 }), 1, criterion);
    }
    assert.equal(expectedRace(a, 'kl', { rows: 4, length: 128 }, { exact: 6 }), 1, 'of four rows');
    assert.equal(expectedRace(a, 'kl', ROWS, { exact: BLOCKS }), 1, 'where all blocks are wanted');
  });
});
