/** When a crashed sidecar is started again. */
import assert from 'node:assert/strict';
import { RestartPolicy } from '../../../src/sidecar/restart-policy';

const MINUTE = 60_000;

describe('restart policy', () => {
  let now: number;
  let policy: RestartPolicy;
  beforeEach(() => {
    now = 0;
    policy = new RestartPolicy(() => now);
  });
  const crashes = (count: number): unknown[] => Array.from({ length: count }, () => policy.crashed());

  it('waits twice as long each time, and gives up at the fifth crash within three minutes', () => {
    assert.deepEqual(crashes(5), [
      { restartInMs: 500 },
      { restartInMs: 1000 },
      { restartInMs: 2000 },
      { restartInMs: 4000 },
      'give up',
    ]);
  });

  it('forgets crashes that are older than three minutes', () => {
    crashes(4);
    now = 3 * MINUTE;
    assert.deepEqual(crashes(1), [{ restartInMs: 500 }]);
  });

  it('counts what lies within the window, wherever that begins', () => {
    for (let i = 0; i < 12; i++) {
      assert.notEqual(policy.crashed(), 'give up', `crash ${i}`);
      now += MINUTE; // never five within three minutes
    }
    now -= MINUTE;
    crashes(1);
    assert.deepEqual(crashes(1), ['give up']);
  });

  it('starts anew when the user restarts', () => {
    crashes(5);
    policy.forget();
    assert.deepEqual(crashes(1), [{ restartInMs: 500 }]);
  });
});
