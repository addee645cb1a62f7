/** The queue of long jobs, and who goes first. */
import assert from 'node:assert/strict';
import { CancelledError } from '../../../src/engine/errors';
import type { JobInfo } from '../../../src/protocol/jobs';
import { JobQueue } from '../../../src/sidecar/queue';
import { Turns } from '../../../src/sidecar/turns';

/** A job that ends when the test says so, or when it is cancelled. */
function held(id: string) {
  let finish!: (value: string) => void;
  let began = false;
  const job = {
    id,
    kind: 'score' as const,
    checkpoint: 'model',
    run: (signal: AbortSignal) =>
      new Promise<string>((resolve, reject) => {
        began = true;
        finish = resolve;
        signal.addEventListener('abort', () => reject(new CancelledError()), { once: true });
      }),
  };
  return { job, finish: (value: string) => finish(value), began: () => began };
}

const states = (jobs: readonly JobInfo[]): string => jobs.map(({ id, state }) => `${id}:${state}`).join(' ');
const tick = (): Promise<void> => new Promise((done) => setImmediate(done));

describe('job queue', () => {
  let queue: JobQueue;
  let seen: string[];
  beforeEach(() => {
    seen = [];
    queue = new JobQueue((jobs) => seen.push(states(jobs)));
  });

  it('runs one job at a time, in order', async () => {
    const [a, b] = [held('a'), held('b')];
    const results = [queue.add(a.job), queue.add(b.job)];
    await tick();
    assert.equal(states(queue.list()), 'a:running b:queued');
    assert.equal(b.began(), false);
    a.finish('A');
    assert.equal(await results[0], 'A');
    await tick();
    assert.equal(states(queue.list()), 'b:running');
    b.finish('B');
    assert.equal(await results[1], 'B');
    await queue.empty();
    assert.equal(seen.at(-1), '');
  });

  it('cancels a waiting job without running it, and a running one by its signal', async () => {
    const [a, b, c] = [held('a'), held('b'), held('c')];
    const results = [a, b, c].map(({ job }) => queue.add(job));
    await tick();
    assert.equal(queue.cancel('b'), true);
    await assert.rejects(results[1], CancelledError);
    assert.equal(b.began(), false);
    assert.equal(queue.cancel('a'), true);
    await assert.rejects(results[0], CancelledError);
    await tick();
    assert.equal(states(queue.list()), 'c:running');
    assert.equal(queue.cancel('a'), false);
    c.finish('C');
    assert.equal(await results[2], 'C');
  });

  it("cancels by the request's own signal, before and after it was added", async () => {
    const controller = new AbortController();
    const a = held('a');
    const result = queue.add(a.job, controller.signal);
    await tick();
    controller.abort();
    await assert.rejects(result, CancelledError);
    await assert.rejects(queue.add(held('b').job, controller.signal), CancelledError);
    assert.deepEqual(queue.list(), []);
  });

  it('goes on after a job that failed', async () => {
    const failing = { ...held('a').job, run: () => Promise.reject(new Error('broken')) };
    const b = held('b');
    const results = [queue.add(failing), queue.add(b.job)];
    await assert.rejects(results[0], /broken/);
    await tick();
    b.finish('B');
    assert.equal(await results[1], 'B');
  });

  it('cancels all', async () => {
    const jobs = [held('a'), held('b'), held('c')];
    const results = jobs.map(({ job }) => queue.add(job));
    await tick();
    queue.cancelAll();
    for (const result of results) await assert.rejects(result, CancelledError);
    await queue.empty();
    assert.deepEqual(
      jobs.map(({ began }) => began()),
      [true, false, false],
    );
  });
});

describe('turns', () => {
  it('let short requests go first: the long job waits until none is left', async () => {
    const turns = new Turns();
    const order: string[] = [];
    let endShort!: () => void;
    const short = turns.short(() => new Promise<void>((done) => (endShort = done)));
    const long = turns.wait().then(() => order.push('long'));
    const another = turns.short(() => Promise.resolve().then(() => void order.push('short')));
    await another;
    await tick();
    assert.deepEqual(order, ['short']);
    endShort();
    await Promise.all([short, long]);
    assert.deepEqual(order, ['short', 'long']);
    await turns.wait(); // nobody in the way
  });

  it('let the long job go on after a short one that failed', async () => {
    const turns = new Turns();
    await assert.rejects(turns.short(() => Promise.reject(new Error('broken'))));
    await turns.wait();
  });
});
