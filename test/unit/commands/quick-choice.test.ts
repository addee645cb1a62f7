/** Enter never starts an hour of work. */
import assert from 'node:assert/strict';
import { quickChoice } from '../../../src/host/ask/quick-choice';

describe('the choice that Enter takes', () => {
  const of = (...seconds: readonly number[]) => seconds.map((each, value) => ({ value, seconds: each }));

  it('is the last answer while that takes less than two minutes', () => {
    assert.equal(quickChoice(of(80, 20, 1), 0), 0);
    assert.equal(quickChoice(of(80, 20, 1), 2), 2);
  });

  it('is the first quick one where the last answer takes longer, or there was none', () => {
    assert.equal(quickChoice(of(4600, 1200, 1), 0), 2);
    assert.equal(quickChoice(of(400, 90, 1), 0), 1);
    assert.equal(quickChoice(of(4600, 1200, 1), 7), 2);
  });

  it('is the quickest where none is quick', () => assert.equal(quickChoice(of(4600, 1200), 0), 1));
});
