/** The table that parts fill, and its way through JSON. */
import assert from 'node:assert/strict';
import { type Filled, filledFrom, filledIn, Table, TableFault } from '../../../src/engine/parts/table';
import { uniform } from '../../support/random';
import { stringifyJson } from '../../../src/format/json';

const range = (from: number, to: number) => ({ from, to });
const fault = (why: RegExp) => (error: unknown) => error instanceof TableFault && why.test(error.message);

/** A table of `variants` × `rows`, cut into rectangles. */
function rectangles(values: readonly (readonly number[])[], cuts: readonly number[], perPiece: number): Filled[] {
  const found: Filled[] = [];
  for (const [i, from] of cuts.slice(0, -1).entries()) {
    for (let first = 0; first < values.length; first += perPiece) {
      const some = values.slice(first, first + perPiece).map((row) => ({ nll: row.slice(from, cuts[i + 1]) }));
      found.push(...filledFrom(first, range(from, cuts[i + 1]), some));
    }
  }
  return found;
}

describe('parts/table', () => {
  const random = uniform(7);
  // Of very different size, so that a sum depends on its order.
  const values = Array.from({ length: 5 }, () =>
    Array.from({ length: 40 }, () => (random() - 0.5) * 10 ** Math.floor(random() * 12)),
  );

  it('has the numbers of every row, and equal sums, whoever filled which rectangle and when', () => {
    const sums = values.map((row) => row.reduce((a, b) => a + b, 0));
    for (let turn = 0; turn < 20; turn++) {
      const inner = [...Array(39).keys()].map((i) => i + 1).filter(() => random() < 0.2);
      const filled = rectangles(values, [0, ...inner, 40], 1 + Math.floor(random() * 5));
      for (let i = filled.length - 1; i > 0; i--) {
        const j = Math.floor(random() * (i + 1));
        [filled[i], filled[j]] = [filled[j], filled[i]];
      }
      const table = new Table(filled, 40);
      for (const [variant, row] of values.entries()) {
        assert.deepEqual([...table.column('nll', variant)], row);
        assert.equal(
          table.column('nll', variant).reduce((a, b) => a + b, 0),
          sums[variant],
        );
      }
    }
  });

  it('does not take a rectangle twice, a hole, or rows beyond the last', () => {
    const [first, second] = rectangles([[1, 2, 3, 4]], [0, 2, 4], 1);
    assert.throws(() => new Table([first, second, second], 4), fault(/twice/));
    assert.throws(() => new Table([first, { ...second, rows: range(1, 3) }], 4), fault(/twice/));
    assert.throws(() => new Table([first], 4), fault(/row 2 of nll of variant 0 is missing/));
    assert.throws(() => new Table([second], 4), fault(/row 0 of nll of variant 0 is missing/));
    assert.throws(() => new Table([first, second], 3), fault(/4 rows of 3/));
    const table = new Table([first, second], 4);
    assert.throws(() => table.column('kl', 0), fault(/kl of variant 0 is missing/));
    assert.throws(() => table.column('nll', 1), fault(/nll of variant 1 is missing/));
    assert.throws(() => table.measuresOf(1), fault(/variant 1 is missing/));
    assert.deepEqual([table.has('nll', 0), table.has('nll', 1), table.has('kl', 0)], [true, false, false]);
  });

  it('knows the measures of each variant in their own order', () => {
    const table = new Table(
      [
        ...filledFrom(0, range(0, 1), [{ a: [1], c: [2] }]),
        ...filledFrom(1, range(0, 1), [{ a: [3], b: [4], c: [5] }]),
      ],
      1,
    );
    assert.deepEqual(
      [table.measuresOf(0), table.measuresOf(1)],
      [
        ['a', 'c'],
        ['a', 'b', 'c'],
      ],
    );
    assert.deepEqual(table.measures.sort(), ['a', 'b', 'c']);
  });

  it('has every number through JSON: those without a notation there too', () => {
    const numbers = [NaN, Infinity, -Infinity, 0.1 + 0.2, -1e-320, Number.MAX_VALUE, 5e-324];
    const [filled] = filledFrom(3, range(2, 9), [{ nll: numbers }, { nll: [...numbers].reverse() }]);
    const read = filledIn(JSON.parse(stringifyJson(filled)));
    assert.deepEqual(read, filled);
    assert.ok(Object.is(read.values.nll[0], NaN) && read.values.nll[1] === Infinity);
  });

  it('takes nothing else for a rectangle', () => {
    const [good] = filledFrom(0, range(0, 2), [{ nll: [1, 2] }]);
    assert.ok(filledIn(good));
    for (const bad of [
      undefined,
      null,
      [],
      { ...good, values: undefined },
      { ...good, values: { nll: [1] } },
      { ...good, values: { nll: [1, 'x'] } },
      { ...good, values: { nll: [1, null] } },
      { ...good, values: { nll: 'ab' } },
      { ...good, rows: range(2, 0) },
      { ...good, rows: range(-1, 1) },
      { ...good, rows: range(0, 2.5) },
      { ...good, variants: { from: 0, to: '1' } },
      { ...good, variants: undefined },
    ]) {
      assert.equal(filledIn(bad), undefined, JSON.stringify(bad));
    }
  });

  it('of nothing is nothing', () => assert.deepEqual(filledFrom(0, range(0, 3), []), []));
});
