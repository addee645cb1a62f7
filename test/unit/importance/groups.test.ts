/** How a sweep is cut so that its hidden states fit the memory budget. */
import assert from 'node:assert/strict';
import { groupWork } from '../../../src/engine/importance/groups';

const rows = Array.from({ length: 10 }, (_, r) => [r]);
const ROW_BYTES = 100;
/** Rows and candidates of each group, with room for `states` states of one row. */
const cut = (states: number, candidates: number): [number[], number[]][] =>
  groupWork(rows, [...Array(candidates).keys()], ROW_BYTES, states * ROW_BYTES).map((group) => {
    assert.equal(group.rows[0], rows[group.firstRow]);
    return [group.rows.map((row) => row[0]), [...group.candidates]];
  });

describe('importance/sweep grouping', () => {
  it('does everything at once where there is room', () => {
    assert.deepEqual(cut(40, 3), [[[...Array(10).keys()], [0, 1, 2]]]);
    assert.deepEqual(cut(40, 0), [[[...Array(10).keys()], []]]);
  });

  it('cuts rows first, evenly', () => {
    // 28 states: seven rows of the model and three variants would fit; two halves are as few groups
    assert.deepEqual(cut(28, 3), [
      [
        [0, 1, 2, 3, 4],
        [0, 1, 2],
      ],
      [
        [5, 6, 7, 8, 9],
        [0, 1, 2],
      ],
    ]);
  });

  it('then variants, one row at a time', () => {
    assert.deepEqual(cut(3, 5).slice(0, 4), [
      [[0], [0, 1]],
      [[0], [2, 3]],
      [[0], [4]],
      [[1], [0, 1]],
    ]);
  });

  it('goes on with the least possible where even that does not fit', () => {
    assert.equal(cut(0, 2).length, 20);
    assert.deepEqual(cut(0, 2)[1], [[0], [1]]);
    assert.equal(cut(0, 0).length, 10);
  });

  it('covers every row and candidate once, within the budget', () => {
    for (let states = 2; states < 60; states++) {
      for (let candidates = 0; candidates < 12; candidates++) {
        const groups = cut(states, candidates);
        const pairs = groups.flatMap(([r, c]) =>
          r.flatMap((row) => (c.length > 0 ? c : [-1]).map((k) => `${row} ${k}`)),
        );
        assert.equal(new Set(pairs).size, pairs.length);
        assert.equal(pairs.length, 10 * Math.max(1, candidates));
        for (const [r, c] of groups) assert.ok(r.length * (c.length + 1) <= states, `${states} ${candidates}`);
      }
    }
  });
});
