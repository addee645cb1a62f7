/** The order of the examples, and batches of unequal rows. */
import assert from 'node:assert/strict';
import { collate } from '../../../../src/engine/retrain/data/collate';
import { exampleWithTargets } from '../../../../src/engine/retrain/data/example';
import { batchIndices, stepsPerEpoch } from '../../../../src/engine/retrain/data/order';

describe('retrain/data/order', () => {
  const epoch = (seed: number, e: number, examples = 12, batch = 4): number[] =>
    Array.from({ length: 3 }, (_, s) => batchIndices(seed, examples, batch, 3 * e + s)).flat();

  it('shows every example once an epoch, in another order each time', () => {
    const orders = [0, 1, 2].map((e) => epoch(7, e));
    for (const order of orders) {
      assert.deepEqual(
        order.toSorted((a, b) => a - b),
        Array.from({ length: 12 }, (_, i) => i),
      );
    }
    assert.notDeepEqual(orders[0], orders[1]);
    assert.notDeepEqual(orders[1], orders[2]);
  });

  it('depends on nothing but seed and step', () => {
    assert.deepEqual(batchIndices(7, 12, 4, 5), batchIndices(7, 12, 4, 5));
    assert.notDeepEqual(epoch(7, 0), epoch(8, 0));
    assert.notDeepEqual(epoch(7, 1), epoch(8, 0));
  });

  it('counts steps as the paper does: 49 760 examples in batches of 64, two epochs, are 1 554', () => {
    assert.equal(2 * stepsPerEpoch(49_760, 64), 1554);
    const seen = new Set(Array.from({ length: 3 }, (_, s) => batchIndices(1, 14, 4, s)).flat());
    assert.equal(seen.size, 12);
  });

  it('takes all examples where there are fewer than a batch', () => {
    assert.equal(stepsPerEpoch(3, 8), 1);
    for (const step of [0, 1, 5]) assert.deepEqual(batchIndices(1, 3, 8, step).toSorted(), [0, 1, 2]);
  });
});

describe('retrain/data/collate', () => {
  const short = exampleWithTargets([5, 6, 7], [{ start: 1, end: 3 }]);
  const long = exampleWithTargets(
    [10, 11, 12, 13, 14],
    [
      { start: 0, end: 1 },
      { start: 3, end: 5 },
    ],
  );

  it('pads on the right to a multiple and shifts the labels', () => {
    const batch = collate([short, long], 4);
    assert.equal(batch.length, 8);
    assert.deepEqual(
      batch.rows.map((row) => Array.from(row)),
      [
        [5, 6, 7, 0, 0, 0, 0, 0],
        [10, 11, 12, 13, 14, 0, 0, 0],
      ],
    );
    assert.deepEqual(
      batch.targets.map((row) => Array.from(row)),
      [
        [6, 7, -1, -1, -1, -1, -1, -1],
        [-1, -1, 13, 14, -1, -1, -1, -1],
      ],
    );
    assert.equal(batch.targetCount, 4);
  });

  it('adds nothing to rows whose length is a multiple', () => {
    assert.equal(collate([long], 5).length, 5);
    assert.equal(collate([short, long], 1).length, 5);
    assert.equal(collate([long]).length, 8);
  });
});
