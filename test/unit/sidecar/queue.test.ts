/** The queue of jobs, with a lane for short ones, and who goes first. */
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

  describe('with short jobs', () => {
    const room = (needs: number, may = 10) => ({ memory: () => Promise.resolve({ needs, may }) });
    const short = (id: string, needs = 1) => {
      const each = held(id);
      return { ...each, job: { ...each.job, lane: 'short' as const, ...room(needs) } };
    };

    it('runs one beside a long one, and the others of both lanes in order', async () => {
      const [a, b, s, u] = [held('a'), held('b'), short('s'), short('u')];
      const results = [a, b, s, u].map(({ job }) => queue.add(job));
      await tick();
      assert.equal(states(queue.list()), 'a:running b:queued s:running u:queued');
      s.finish('S');
      await results[2];
      await tick();
      assert.equal(states(queue.list()), 'a:running b:queued u:running');
      a.finish('A');
      await results[0];
      await tick();
      assert.equal(states(queue.list()), 'b:running u:running');
      b.finish('B');
      u.finish('U');
      await Promise.all(results);
    });

    it('lets one wait, and says why, where memory has no room for both', async () => {
      const [a, s] = [held('a'), short('s', 11)];
      const results = [a, s].map(({ job }) => queue.add(job));
      await tick();
      assert.deepEqual(queue.list()[1].lacks, { needs: 11, may: 10 });
      assert.equal(states(queue.list()), 'a:running s:queued');
      a.finish('A');
      await results[0];
      await tick();
      assert.equal(states(queue.list()), 's:running', 'alone it may take what there is');
      assert.equal(queue.list()[0].lacks, undefined);
      s.finish('S');
      await results[1];
    });

    it('starts it as soon as there is room', async () => {
      let needs = 11;
      const [a, s] = [held('a'), held('s')];
      const job = { ...s.job, lane: 'short' as const, memory: () => Promise.resolve({ needs, may: 10 }) };
      const results = [queue.add(a.job), queue.add(job)];
      await tick();
      needs = 9;
      queue.progress('a', { label: 'block 2', done: 1, total: 2, unit: 'share' });
      await tick();
      assert.equal(states(queue.list()), 'a:running s:running');
      s.finish('S');
      a.finish('A');
      await Promise.all(results);
    });

    it('runs nothing beside a measurement of speed', async () => {
      const speed = held('speed');
      const s = short('s');
      const results = [queue.add({ ...speed.job, lane: 'alone' as const }), queue.add(s.job)];
      await tick();
      assert.equal(states(queue.list()), 'speed:running s:queued');
      speed.finish('');
      await results[0];
      const next = held('next');
      results.push(queue.add({ ...next.job, lane: 'alone' as const }));
      await tick();
      assert.equal(states(queue.list()), 's:running next:queued');
      s.finish('');
      await results[1];
      await tick();
      next.finish('');
      await Promise.all(results);
    });

    it('cancels one that waits', async () => {
      const [a, s] = [held('a'), short('s', 11)];
      const results = [a, s].map(({ job }) => queue.add(job));
      await tick();
      queue.cancel('s');
      await assert.rejects(results[1], CancelledError);
      a.finish('A');
      await results[0];
    });
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

  it('let a long job that is cancelled end', async () => {
    const turns = new Turns();
    const controller = new AbortController();
    let endShort!: () => void;
    const short = turns.short(() => new Promise<void>((done) => (endShort = done)));
    const waiting = turns.wait(controller.signal);
    controller.abort();
    await waiting;
    endShort();
    await short;
  });

  it('let the long job go on after a short one that failed', async () => {
    const turns = new Turns();
    await assert.rejects(turns.short(() => Promise.reject(new Error('broken'))));
    await turns.wait();
  });
});
