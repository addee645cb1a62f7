/** How much a text repeats itself. */
import assert from 'node:assert/strict';
import { repetition } from '../../../src/engine/records/repetition';

describe('repetition', () => {
  it('is none where no four tokens recur, and says nothing of short texts', () => {
    assert.equal(repetition([1, 2, 3, 4, 5, 6]), 0);
    assert.equal(repetition([1, 1, 1, 1]), 0);
    assert.ok(Number.isNaN(repetition([1, 2, 3])));
  });

  it('is the share of runs of four that occurred before', () => {
    assert.equal(repetition([1, 2, 3, 4, 1, 2, 3, 4]), 1 / 5);
    assert.equal(repetition(Array<number>(23).fill(7)), 19 / 20);
  });

  it('does not take 1,23 for 12,3', () => {
    assert.equal(repetition([1, 23, 4, 5, 12, 3, 4, 5]), 0);
  });
});
