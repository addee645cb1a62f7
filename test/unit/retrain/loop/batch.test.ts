/** How a batch is cut into micro-batches: every row once, padded to a multiple of 8, rows of like length together. */
import assert from 'node:assert/strict';
import { microBatches } from '../../../../src/engine/retrain/loop/batch';
import { textBatch } from '../../../support/training';

const row = (length: number, first = 1): number[] => Array.from({ length }, (_, i) => first + i);

describe('retrain/batch', () => {
  it('pads on the right, and has no targets there', () => {
    const [micro, ...others] = microBatches(textBatch([row(10), row(3, 50)]), 1024);
    assert.equal(others.length, 0);
    assert.deepEqual([micro.length, micro.rows], [16, [0, 1]]);
    assert.deepEqual(micro.ids, [...row(10), ...Array<number>(6).fill(0), ...row(3, 50), ...Array<number>(13).fill(0)]);
    const none = (n: number): number[] => Array<number>(n).fill(-1);
    assert.deepEqual([...micro.targets], [...row(9, 2), ...none(7), 51, 52, ...none(14)]);
  });

  it('takes as many rows as fit the tokens, at least one, the longest first', () => {
    const lengths = [5, 30, 8, 17, 16, 4];
    const cut = (tokens: number): { rows: readonly number[]; length: number }[] =>
      microBatches(textBatch(lengths.map((length) => row(length))), tokens).map(({ rows, length }) => ({
        rows,
        length,
      }));
    assert.deepEqual(cut(48), [
      { rows: [1], length: 32 },
      { rows: [3, 4], length: 24 },
      { rows: [0, 2, 5], length: 8 },
    ]);
    assert.deepEqual(
      cut(1).map(({ rows }) => rows),
      [[1], [3], [4], [0], [2], [5]],
    );
    assert.deepEqual(cut(10_000), [{ rows: [1, 3, 4, 0, 2, 5], length: 32 }]);
    for (const tokens of [1, 48, 100]) {
      const rows = cut(tokens).flatMap((micro) => [...micro.rows]);
      assert.deepEqual(rows.sort(), [0, 1, 2, 3, 4, 5]);
    }
  });

  it('never pads a row into another class of lengths, nor puts rows of two classes together', () => {
    const lengths = [18, 12, 30, 20, 21, 17];
    const classOf = (length: number): number => (length > 20 ? length : 0);
    const cut = microBatches(textBatch(lengths.map((length) => row(length))), 1024, classOf);
    assert.deepEqual(
      cut.map(({ rows, length }) => ({ rows, length })),
      [
        { rows: [2], length: 30 },
        { rows: [4], length: 21 },
        { rows: [3, 0, 5, 1], length: 20 },
      ],
    );
  });

  it('of nothing is nothing', () => assert.deepEqual(microBatches({ rows: [], targets: [] }, 64), []));
});
