/** How a sweep is cut so that its hidden states fit the memory budget. */
import assert from 'node:assert/strict';
import { groupWork } from '../../../src/engine/importance/groups';

const rows = Array.from({ length: 10 }, (_, r) => [r]);
const ROW_BYTES = 100;
/** Rows and candidates of each group, with room for `states` states of one row. */
const cut = (states: number, candidates: number, unit = 1): [number[], number[]][] =>
  groupWork(rows, [...Array(candidates).keys()], ROW_BYTES, states * ROW_BYTES, 0, unit).map((group) => {
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

  it('cuts between runs of rows, and variants before a run', () => {
    const runs = [
      [0, 1, 2, 3],
      [4, 5, 6, 7],
      [8, 9],
    ];
    // 20 states: one run of the model and three variants fits, with four states to spare
    assert.deepEqual(
      cut(20, 3, 4).map(([r]) => r),
      runs,
    );
    // 12 states: a run of the model and two variants fits
    assert.deepEqual(
      cut(12, 3, 4),
      runs.flatMap((run) => [
        [run, [0, 1]],
        [run, [2]],
      ]),
    );
    // 7 states: not even one variant of a run fits
    assert.deepEqual(cut(7, 3, 4).slice(0, 2), [
      [[0], [0, 1, 2]],
      [[1], [0, 1, 2]],
    ]);
  });

  it('takes the length of the rows for the size of a run', () => {
    const long = Array.from({ length: 9 }, () => Array<number>(200).fill(0)); // three to a run
    const groups = groupWork(long, [0, 1], ROW_BYTES, 10 * ROW_BYTES);
    assert.deepEqual(
      groups.map(({ firstRow, candidates }) => [firstRow, [...candidates]]),
      [0, 3, 6].map((row) => [row, [0, 1]]),
    );
  });

  it('covers every row and candidate once, within the budget', () => {
    for (let states = 2; states < 60; states++) {
      for (let candidates = 0; candidates < 12; candidates++) {
        for (const unit of [1, 3, 4, 10, 640]) check(states, candidates, unit);
      }
    }
  });
});

function check(states: number, candidates: number, unit: number): void {
  const groups = cut(states, candidates, unit);
  const pairs = groups.flatMap(([r, c]) => r.flatMap((row) => (c.length > 0 ? c : [-1]).map((k) => `${row} ${k}`)));
  assert.equal(new Set(pairs).size, pairs.length);
  assert.equal(pairs.length, 10 * Math.max(1, candidates));
  const fits = states >= Math.min(unit, 10) * (1 + Math.min(1, candidates));
  for (const [r, c] of groups) {
    assert.ok(r.length * (c.length + 1) <= states, `${states} ${candidates}`);
    if (fits)
      assert.ok(r[0] % unit === 0 && (r.length % unit === 0 || r.at(-1) === 9), `${states} ${candidates} ${unit}`);
  }
}
