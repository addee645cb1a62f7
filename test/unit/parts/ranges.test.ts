/** Ranges of things with costs of their own: neighbours, none empty, and the most expensive as cheap as can be. */
import assert from 'node:assert/strict';
import { rangeOf, rangesOf } from '../../../src/engine/parts/ranges';
import { uniform } from '../../support/random';

/** The least cost of the most expensive range, by trying every way to cut. */
function least(costs: readonly number[], parts: number): number {
  const sum = (some: readonly number[]): number => some.reduce((a, b) => a + b, 0);
  if (parts === 1) return sum(costs);
  const ends = Array.from({ length: costs.length - parts + 1 }, (_, i) => i + 1);
  return Math.min(...ends.map((end) => Math.max(sum(costs.slice(0, end)), least(costs.slice(end), parts - 1))));
}

describe('ranges of a list', () => {
  it('cover it, none is empty, and none costs more than it must', () => {
    const next = uniform(11);
    for (let round = 0; round < 60; round++) {
      const costs = Array.from({ length: 1 + Math.floor(next() * 9) }, () => Math.floor(next() ** 3 * 100));
      for (let parts = 1; parts <= costs.length; parts++) {
        const ranges = rangesOf(costs, parts);
        assert.equal(ranges.length, parts);
        assert.deepEqual([ranges[0].from, ranges.at(-1)!.to], [0, costs.length]);
        ranges.forEach(({ from, to }, i) => {
          assert.ok(to > from, `${from} to ${to}`);
          if (i > 0) assert.equal(from, ranges[i - 1].to);
        });
        const most = Math.max(...ranges.map(({ from, to }) => costs.slice(from, to).reduce((a, b) => a + b)));
        assert.equal(most, least(costs, parts), `${parts} parts of ${costs.join(' ')}`);
      }
    }
  });

  it('are as many as there are things at most', () => {
    assert.deepEqual(rangeOf([3, 1, 2], { number: 3, of: 3 }, 'bundle'), { from: 2, to: 3 });
    assert.throws(() => rangeOf([3, 1, 2], { number: 1, of: 4 }, 'bundle'), {
      what: 'The work cannot be cut into 4 parts',
      why: /it has 3 bundles/,
      action: 'Take at most 3 parts.',
    });
  });
});
