/** The client: what becomes of work and process, whatever happens to either. */
import assert from 'node:assert/strict';
import { CancelledError } from '../../../src/engine/errors';
import type { JobSpec } from '../../../src/protocol/jobs';
import { SidecarClient, type SidecarStatus } from '../../../src/sidecar/client';
import { JobInterrupted, SidecarGone } from '../../../src/sidecar/interrupted';
import { FakeClock, settle } from './fake-clock';
import { FakeForks } from './fake-sidecar';

const IDLE = 60_000;
const silent = () => undefined;
const log = { trace: silent, debug: silent, info: silent, warn: silent, error: silent };
const score: JobSpec = { kind: 'score', checkpoint: 'model', criterion: 'deepest' };
const training: JobSpec = { kind: 'retrain', checkpoint: 'model', out: 'out', data: ['x'] };
const result = { result: { done: true } as never };

describe('sidecar client', () => {
  let clock: FakeClock;
  let forks: FakeForks;
  let client: SidecarClient;
  let states: SidecarStatus['state'][];

  beforeEach(() => {
    clock = new FakeClock();
    forks = new FakeForks();
    client = new SidecarClient({ program: 'sidecar.cjs', fork: forks.fork, log, clock, idleMs: () => IDLE });
    states = [];
    client.onStatus(({ state }) => states.push(state));
  });

  /** Starts a job; its failure is looked at later. */
  function begin(spec: JobSpec = score, signal?: AbortSignal): Promise<unknown> {
    const done = client.run(spec, { signal });
    done.catch(silent);
    return done;
  }

  it('starts the process when it is first needed, as a Node', async () => {
    assert.equal(forks.made.length, 0);
    const answered = await client.request('job/cancel', { id: 'none' });
    assert.equal(answered.found, false);
    assert.equal(forks.made.length, 1);
    assert.equal(forks.last.options.env?.ELECTRON_RUN_AS_NODE, '1');
    assert.deepEqual(forks.last.options.execArgv, []);
    assert.deepEqual(states, ['starting', 'ready']);
  });

  it('starts one process for everything that comes at once', async () => {
    const jobs = [begin(), begin()];
    await client.request('job/cancel', { id: 'none' });
    await settle();
    assert.equal(forks.made.length, 1);
    for (const job of forks.last.jobs) job.finish(result);
    for (const job of jobs)
      assert.deepEqual(await job, { record: null, device: null, notes: [], warnings: [], result: { done: true } });
  });

  it('ends the process when it idles, and starts another when it is needed', async () => {
    await client.request('job/cancel', { id: 'none' });
    await clock.pass(IDLE - 1);
    assert.ok(forks.last.alive);
    await clock.pass(1);
    assert.ok(!forks.last.alive);
    assert.equal(client.status.state, 'stopped');
    await client.request('job/cancel', { id: 'none' });
    assert.equal(forks.made.length, 2);
  });

  it('does not end it while a job runs', async () => {
    const job = begin();
    await settle();
    await clock.pass(3 * IDLE);
    assert.ok(forks.last.alive);
    forks.last.jobs[0].finish(result);
    await job;
    await clock.pass(IDLE);
    assert.ok(!forks.last.alive);
  });

  it('reports the running job as interrupted, and sends those behind it to the next process', async () => {
    const [first, second] = [begin(), begin()];
    await settle();
    forks.last.crash(134);
    await settle();
    await assert.rejects(first, (error) => error instanceof JobInterrupted && error.why.includes('code 134'));
    assert.deepEqual(
      client.jobs.map(({ id, state }) => `${id} ${state}`),
      ['job-2 queued'],
    );
    assert.equal(client.status.state, 'restarting');
    await clock.pass(500);
    assert.equal(forks.made.length, 2);
    forks.last.jobs[0].finish(result);
    await second;
    assert.deepEqual(states, ['starting', 'ready', 'restarting', 'starting', 'ready']);
  });

  it('tells how each job ended, once it is none of the jobs any more', async () => {
    const ends: string[] = [];
    client.onEnded(({ id, spec, outcome, error }) => {
      assert.ok(!client.jobs.some((job) => job.id === id));
      ends.push(`${id} ${spec.kind} ${outcome ? 'done' : (error as Error).constructor.name}`);
    });
    const controller = new AbortController();
    const [done, cancelled, lost] = [begin(), begin(score, controller.signal), begin(training)];
    await client.request('job/cancel', { id: 'none' });
    await settle();
    forks.last.jobs[0].finish(result);
    await done;
    controller.abort();
    await assert.rejects(cancelled, CancelledError);
    forks.last.crash();
    await assert.rejects(lost, JobInterrupted);
    assert.deepEqual(ends, ['job-1 score done', 'job-2 score CancelledError', 'job-3 retrain JobInterrupted']);
  });

  it('says how an interrupted training goes on, and that nothing else does', async () => {
    const done = begin(training);
    await settle();
    forks.last.crash();
    await assert.rejects(done, (error) => {
      assert.ok(error instanceof JobInterrupted);
      assert.deepEqual(error.resume, { ...training, resume: true });
      return true;
    });
    const other = begin();
    await clock.pass(500);
    forks.last.crash();
    await assert.rejects(other, (error) => error instanceof JobInterrupted && error.resume === undefined);
  });

  it('fails short requests of a process that crashes', async () => {
    await client.request('job/cancel', { id: 'none' });
    const asked = client.request('tensor/statistics', { id: '1', checkpoint: 'm', tensor: 't' }); // unknown there
    await assert.rejects(asked);
    const lost = client.request('tensor/statistics', { id: '2', checkpoint: 'm', tensor: 't' });
    forks.last.crash();
    await assert.rejects(lost, SidecarGone);
  });

  it('gives up after four restarts within three minutes, until restarted by hand', async () => {
    await client.request('job/cancel', { id: 'none' });
    const waiting = begin();
    await settle();
    forks.behaviour.crashesAtStart = true;
    const behind = begin();
    forks.last.crash();
    await assert.rejects(waiting, JobInterrupted);
    for (let i = 0; i < 4; i++) {
      assert.equal(client.status.state, 'restarting', `restart ${i}`);
      await clock.pass(clock.due!);
    }
    assert.equal(client.status.state, 'failed');
    await assert.rejects(behind, JobInterrupted);
    assert.equal(forks.made.length, 5);
    await assert.rejects(client.request('job/cancel', { id: 'none' }), /code 1/);
    await clock.pass(10 * 60_000);
    assert.equal(forks.made.length, 5);

    forks.behaviour.crashesAtStart = false;
    await client.restart();
    assert.equal(client.status.state, 'ready');
    assert.equal((await client.request('job/cancel', { id: 'none' })).found, false);
  });

  it('restarts by hand in the middle of a job', async () => {
    const [first, second] = [begin(), begin()];
    await settle();
    await client.restart();
    await assert.rejects(first, JobInterrupted);
    await settle();
    assert.equal(forks.made.length, 2);
    forks.last.jobs[0].finish(result);
    await second;
  });

  it('restarts by hand while it waits to restart by itself', async () => {
    await client.request('job/cancel', { id: 'none' });
    forks.last.crash();
    await settle();
    await client.restart();
    await clock.pass(60_000);
    assert.equal(forks.made.length, 2);
    assert.equal(client.status.state, 'stopped'); // idle
  });

  it('restarts once for those who ask at the same time', async () => {
    const job = begin();
    await Promise.all([client.restart(), client.restart()]); // asked before the first process was greeted
    await settle();
    assert.equal(forks.made.filter(({ alive }) => alive).length, 1);
    await Promise.all([client.restart(), client.restart()]);
    assert.equal(forks.made.filter(({ alive }) => alive).length, 1);
    await client.dispose();
    assert.ok(forks.made.every(({ alive }) => !alive));
    await assert.rejects(job);
  });

  it('cancels jobs wherever they are', async () => {
    const early = new AbortController();
    const before = begin(score, early.signal);
    early.abort(); // no process has it yet
    await assert.rejects(before, CancelledError);
    await assert.rejects(client.run(score, { signal: early.signal }), CancelledError);

    const late = new AbortController();
    const running = begin(score, late.signal);
    await settle();
    late.abort();
    await assert.rejects(running, CancelledError);
    assert.deepEqual(client.jobs, []);
  });

  it('takes a cancelled job for cancelled even when the process dies of it', async () => {
    const controller = new AbortController();
    const running = begin(score, controller.signal);
    await settle();
    controller.abort();
    forks.last.crash();
    await assert.rejects(running, CancelledError);
  });

  it('shows the state of jobs as the sidecar tells it', async () => {
    const seen: string[] = [];
    client.onJobs((jobs) => seen.push(jobs.map(({ id, state }) => `${id} ${state}`).join(', ')));
    const job = begin();
    await settle();
    forks.last.tell([{ id: 'job-1', kind: 'score', checkpoint: 'model', state: 'running' }]);
    await settle();
    forks.last.tell([]); // before the answer comes, the job is still shown
    await settle();
    forks.last.jobs[0].finish(result);
    await job;
    assert.deepEqual([...new Set(seen)], ['job-1 queued', 'job-1 running', '']);
  });

  it('ends the process and all work when it is disposed of', async () => {
    const job = begin();
    await settle();
    await client.dispose();
    await assert.rejects(job, CancelledError);
    assert.ok(!forks.last.alive);
    await assert.rejects(client.request('job/cancel', { id: 'none' }), SidecarGone);
    assert.equal(forks.made.length, 1);
  });

  it('starts nothing more when it is disposed of between a crash and the restart', async () => {
    await client.request('job/cancel', { id: 'none' });
    forks.last.crash();
    await settle();
    const asked = client.request('job/cancel', { id: 'none' }); // waits for the next process
    asked.catch(silent);
    await client.dispose();
    await clock.pass(10 * 60_000);
    assert.equal(forks.made.length, 1);
    await assert.rejects(asked, SidecarGone);
  });

  it('starts nothing more when it is disposed of while an idle process ends', async () => {
    await client.request('job/cancel', { id: 'none' });
    forks.behaviour.endsSlowly = true;
    await clock.pass(IDLE);
    const asked = client.request('job/cancel', { id: 'none' }); // waits for the end of the one before
    asked.catch(silent);
    const disposed = client.dispose();
    forks.last.crash(0);
    await disposed;
    await assert.rejects(asked, SidecarGone);
    assert.equal(forks.made.length, 1);
  });

  it('starts one process when it is restarted by hand while an idle one ends', async () => {
    await client.request('job/cancel', { id: 'none' });
    forks.behaviour.endsSlowly = true;
    await clock.pass(IDLE);
    const asked = client.request('job/cancel', { id: 'none' });
    asked.catch(silent);
    const restarted = client.restart();
    forks.last.crash(0);
    await restarted;
    assert.equal(forks.made.filter(({ alive }) => alive).length, 1);
    assert.equal(client.status.state, 'ready');
  });

  it('fails without a program to start, and can try again', async () => {
    const broken = new SidecarClient({
      program: 'none',
      fork: () => {
        throw new Error('spawn failed');
      },
      log,
      clock,
    });
    await assert.rejects(broken.request('job/cancel', { id: 'none' }), /spawn failed/);
    await assert.rejects(broken.run(score), /spawn failed/);
  });
});
