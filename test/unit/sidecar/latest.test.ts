/** Requests of which only the newest matters. */
import assert from 'node:assert/strict';
import { CancelledError } from '../../../src/engine/errors';
import { Latest } from '../../../src/sidecar/latest';
import { FakeClock } from './fake-clock';

describe('latest', () => {
  it('asks once for requests that come together, and answers the newest', async () => {
    const clock = new FakeClock();
    const asked: number[] = [];
    const latest = new Latest((n: number) => Promise.resolve(asked.push(n) && n * 10), clock);
    const answers = [1, 2, 3].map((n) => latest.request(n));
    await clock.pass(200);
    assert.deepEqual(await Promise.all(answers), [undefined, undefined, 30]);
    assert.deepEqual(asked, [3]);
  });

  it('cancels the request that is overtaken while it is answered', async () => {
    const clock = new FakeClock();
    let cancelled = 0;
    const latest = new Latest(
      (n: number, signal) =>
        new Promise<number>((resolve, reject) => {
          if (n === 2) resolve(n);
          signal.addEventListener('abort', () => {
            cancelled++;
            reject(new CancelledError());
          });
        }),
      clock,
    );
    const first = latest.request(1);
    await clock.pass(200);
    const second = latest.request(2);
    await clock.pass(200);
    assert.deepEqual([await first, await second, cancelled], [undefined, 2, 1]);
  });

  it('passes errors of the newest on, and swallows those of the others', async () => {
    const clock = new FakeClock();
    const latest = new Latest((n: number) => Promise.reject<number>(new Error(`broken ${n}`)), clock);
    const failing = assert.rejects(latest.request(1), /broken 1/);
    await clock.pass(200);
    await failing;
    const unwanted = latest.request(2);
    latest.cancel();
    await clock.pass(200);
    assert.equal(await unwanted, undefined);
  });
});
