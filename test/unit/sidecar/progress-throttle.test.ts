/** Progress thinned out, with its rate. */
import assert from 'node:assert/strict';
import type { ProgressInfo } from '../../../src/protocol/jobs';
import { ProgressThrottle } from '../../../src/sidecar/progress-throttle';

function throttled(): {
  sent: ProgressInfo[];
  at: (ms: number, done: number, total?: number, unpaced?: true) => void;
  flush: () => void;
} {
  const sent: ProgressInfo[] = [];
  let now = 0;
  const throttle = new ProgressThrottle(
    (progress) => sent.push(progress),
    () => now,
  );
  const at = (ms: number, done: number, total = 1000, unpaced?: true): void => {
    now = ms;
    throttle.report({ label: `step ${done}`, done, total, unit: 'rows', unpaced });
  };
  return { sent, at, flush: () => throttle.flush() };
}

describe('progress throttle', () => {
  it('lets ten a second pass, and the last one always', () => {
    const { sent, at } = throttled();
    for (let ms = 0; ms < 1000; ms++) at(ms, ms);
    at(1000, 1000);
    assert.ok(sent.length <= 11, `${sent.length} reports`);
    assert.ok(sent.length >= 10, `${sent.length} reports`);
    assert.equal(sent.at(-1)?.done, 1000);
  });

  it('sends what it holds when the job ends before its total', () => {
    const { sent, at, flush } = throttled();
    at(0, 1);
    at(10, 2);
    assert.deepEqual(
      sent.map(({ done }) => done),
      [1],
    );
    flush();
    flush();
    assert.deepEqual(
      sent.map(({ done }) => done),
      [1, 2],
    );
  });

  it('tells the rate and what is left once there is something to tell from', () => {
    const { sent, at } = throttled();
    for (let ms = 0; ms <= 2000; ms += 100) at(ms, ms / 10);
    assert.equal(sent[0].perSecond, undefined);
    assert.equal(sent[1].secondsLeft, undefined);
    assert.equal(sent.at(-1)?.perSecond, 100);
    assert.equal(sent.at(-1)?.secondsLeft, 8);
  });

  it('looks at the last ten seconds only', () => {
    const { sent, at } = throttled();
    for (let ms = 0; ms <= 20_000; ms += 100) at(ms, ms / 1000, 1e6); // slow
    for (let ms = 20_100; ms <= 31_000; ms += 100) at(ms, 20 + (ms - 20_000) / 10, 1e6); // a hundred times as fast
    assert.ok(Math.abs(sent.at(-1)!.perSecond! - 100) < 1);
  });

  it('tells no time left from a pace that means nothing for the rest', () => {
    const { sent, at } = throttled();
    for (let ms = 0; ms <= 2000; ms += 100) at(ms, ms / 10, 100_000, true);
    assert.equal(sent.at(-1)?.secondsLeft, undefined);
    for (let ms = 2100; ms <= 4000; ms += 100) at(ms, 200 + (ms - 2000) / 100, 100_000);
    assert.equal(Math.round(sent.at(-1)!.perSecond!), 10); // nothing of the phase before is in it
    assert.ok(sent.at(-1)!.secondsLeft! > 9900);
  });

  it('starts anew when the work does', () => {
    const { sent, at } = throttled();
    for (let ms = 0; ms <= 5000; ms += 100) at(ms, ms, 5000);
    at(5200, 1, 100);
    assert.equal(sent.at(-1)?.done, 1);
    assert.equal(sent.at(-1)?.perSecond, undefined);
  });
});
