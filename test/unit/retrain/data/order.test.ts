/** The order of the examples. */
import assert from 'node:assert/strict';
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
