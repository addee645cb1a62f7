/** Who is told that a job has ended: who may have missed it. */
import assert from 'node:assert/strict';
import { LONG_MS, watchForEnd } from '../../../src/host/jobs/attention';

describe('the end of a job', () => {
  let time = 0;
  let focus = true;
  const world = { now: () => time, focused: () => focus };
  beforeEach(() => {
    [time, focus] = [5000, true];
  });

  it('is not told to a user who has just started it and looks at it', () => {
    const missed = watchForEnd(world);
    time += LONG_MS;
    assert.equal(missed(), false);
  });

  it('is told after a long time', () => {
    const missed = watchForEnd(world);
    time += LONG_MS + 1;
    assert.equal(missed(), true);
  });

  it('is told where another window has the focus at the end', () => {
    const missed = watchForEnd(world);
    focus = false;
    time += 10;
    assert.equal(missed(), true);
    focus = true;
    assert.equal(missed(), false);
  });
});
