/** How blocks are spread over rounds. */
import assert from 'node:assert/strict';
import { UserError } from '../../../src/engine/errors';
import { roundSizes } from '../../../src/jobs/runs/rounds';

describe('rounds of pruning', () => {
  it('remove equally many blocks, and those that are left over first', () => {
    assert.deepEqual(roundSizes(6, 3), [2, 2, 2]);
    assert.deepEqual(roundSizes(7, 3), [3, 2, 2]);
    assert.deepEqual(roundSizes(8, 3), [3, 3, 2]);
    assert.deepEqual(roundSizes(4, 4), [1, 1, 1, 1]);
    assert.deepEqual(roundSizes(5, 1), [5]);
  });

  it('cannot be more than blocks', () => {
    assert.throws(() => roundSizes(2, 3), UserError);
  });
});
