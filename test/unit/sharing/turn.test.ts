/** Jobs of one machine: who may begin, who waits, and what is left behind. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { CancelledError, UserError } from '../../../src/engine/errors';
import { mostThreads, sharingOf } from '../../../src/engine/machine-share';
import { leaveToOthers, memoryFor, sharedFree } from '../../../src/engine/memory';
import { usualThreads } from '../../../src/engine/onnx/threads';
import { type Claim, type Earlier, Ticket } from '../../../src/sharing/tickets';
import { inTurn, isFull, type Place, type Waiting } from '../../../src/sharing/turn';
import { temporaryFolder } from '../../support/temporary';

const GB = 1e9;
const NEEDS = { way: 'needs' } as const;
const claim = (bytes: number, threads = 0): Claim => ({ job: 'score', bytes, threads });
const earlier = (runs: boolean, bytes: number, threads = 0): Earlier => ({ ...claim(bytes, threads), runs });
const silent: Waiting = { onWait: () => undefined };
const neverWaits: Waiting = { onWait: (reason) => assert.fail(reason) };
const neverRuns = (): Promise<never> => assert.fail('it ran');

describe('jobs that share a machine', () => {
  const shared = { bytes: 20 * GB, threads: 4 };
  const place = (more: Partial<Place> = {}): Place => ({ folder: temporaryFolder(), shared, sharing: NEEDS, ...more });
  afterEach(() => leaveToOthers(0));

  it('a job waits for memory that earlier ones may take, and one that is alone never', () => {
    const full = (own: Claim, ...before: Earlier[]): string | undefined => isFull(own, before, shared, NEEDS);
    assert.equal(full(claim(30 * GB)), undefined);
    assert.equal(full(claim(8 * GB), earlier(true, 12 * GB)), undefined);
    assert.equal(
      full(claim(9 * GB), earlier(true, 12 * GB)),
      '1 job of this machine may take 12.0 GB of memory, and this one 9.0 GB of 20.0 GB',
    );
    assert.equal(full(claim(0), earlier(true, 30 * GB)), undefined);
  });

  it('a small job passes a large one that waits, but not one that is about to begin', () => {
    const full = (own: Claim, ...before: Earlier[]): boolean => isFull(own, before, shared, NEEDS) !== undefined;
    assert.equal(full(claim(4 * GB), earlier(true, 12 * GB), earlier(false, 15 * GB)), false);
    assert.equal(full(claim(4 * GB), earlier(true, 12 * GB), earlier(false, 6 * GB)), true);
    assert.equal(full(claim(4 * GB), earlier(false, 18 * GB)), true);
  });

  it('parts share threads; a whole job does not wait for them', () => {
    const full = (own: Claim, ...before: Earlier[]): string | undefined => isFull(own, before, shared, NEEDS);
    assert.equal(
      full(claim(GB, 4), earlier(true, GB, 4)),
      '1 job of this machine has 4 of 4 threads, and this one takes 4',
    );
    assert.equal(full(claim(GB, 2), earlier(true, GB, 2)), undefined);
    assert.equal(full(claim(GB, 4), earlier(true, GB, 0)), undefined);
    assert.equal(full(claim(GB), earlier(true, GB, 4)), undefined);
  });

  it('COPPICE_JOBS says how many run at once', () => {
    const full = (count: number): string | undefined =>
      isFull(claim(20 * GB, 4), Array<Earlier>(count).fill(earlier(true, 20 * GB, 4)), shared, {
        way: 'slots',
        slots: 2,
      });
    assert.equal(full(1), undefined);
    assert.equal(full(2), '2 jobs of this machine run, and COPPICE_JOBS is 2');
  });

  it('ten jobs that start at once never take more than there is, and all end', async () => {
    const where = place();
    let [taken, most, ended, running] = [0, 0, 0, 0];
    let meet = (): void => undefined;
    // The first one waits for another beside it, however slow the machine is.
    const beside = new Promise<void>((resolve) => (meet = resolve));
    const job = (bytes: number): Promise<void> =>
      inTurn(
        claim(bytes),
        silent,
        async () => {
          taken += bytes;
          most = Math.max(most, taken);
          running++;
          if (running > 1) meet();
          await beside;
          await setTimeout(5);
          running--;
          taken -= bytes;
          ended++;
        },
        where,
      );
    await Promise.all(Array.from({ length: 10 }, (_, each) => job((each % 2 === 0 ? 9 : 6) * GB)));
    assert.equal(ended, 10);
    assert.ok(most <= shared.bytes, `${most}`);
    assert.ok(most > 9 * GB, 'some ran beside each other');
    assert.deepEqual(readdirSync(where.folder), []);
  });

  it('a ticket of a process that has ended holds nothing, and is removed', async () => {
    const where = place();
    const gone = JSON.stringify({ ...claim(20 * GB), runs: true, process: { pid: 2 ** 22 + 1, at: Date.now() } });
    writeFileSync(join(where.folder, '7'), gone);
    writeFileSync(join(where.folder, '8'), 'torn');
    writeFileSync(join(where.folder, 'notes.txt'), 'of the user');
    await inTurn(
      claim(9 * GB),
      neverWaits,
      () => {
        assert.deepEqual(readdirSync(where.folder).sort(), ['8', '9', 'notes.txt']);
        return Promise.resolve();
      },
      where,
    );
  });

  it('a waiting job can be cancelled, and gives its number back', async () => {
    const where = place();
    const held = await Ticket.take(where.folder, claim(20 * GB));
    await held?.begin();
    const stop = new AbortController();
    const waits: string[] = [];
    const onWait = (reason: string): void => {
      waits.push(reason);
      stop.abort();
    };
    await assert.rejects(inTurn(claim(GB), { signal: stop.signal, onWait }, neverRuns, where), CancelledError);
    assert.equal(waits.length, 1);
    assert.deepEqual(readdirSync(where.folder), ['1']);
    await held?.end();
  });

  it('a job sees what is free less what earlier ones may still take', async () => {
    const where = place({ shared: { bytes: 1e18, threads: 4 } });
    const held = await Ticket.take(where.folder, claim(1e15));
    await held?.begin();
    assert.equal(await inTurn(claim(GB), silent, () => Promise.resolve(sharedFree()), where), 0);
    await held?.end();
  });

  it('a folder that is cleared meanwhile, or full of strange numbers, stops none', async () => {
    const where = place();
    const held = await Ticket.take(where.folder, claim(20 * GB));
    await held?.begin();
    const onWait = (): void => rmSync(where.folder, { recursive: true });
    assert.equal(await inTurn(claim(GB), { onWait }, () => Promise.resolve(5), where), 5);
    const strange = place();
    for (const name of ['999999999999999', '1000000000000000']) writeFileSync(join(strange.folder, name), '');
    assert.equal(await inTurn(claim(GB), neverWaits, () => Promise.resolve(6), strange), 6);
  });

  it('without a folder that can be written, jobs start at once', async () => {
    const file = join(temporaryFolder(), 'file');
    writeFileSync(file, '');
    assert.equal(await inTurn(claim(GB), neverWaits, () => Promise.resolve(3), place({ folder: file })), 3);
    const off = place({ folder: join(temporaryFolder(), 'none'), sharing: { way: 'off' } });
    assert.equal(await inTurn(claim(GB), neverWaits, () => Promise.resolve(4), off), 4);
    assert.equal(existsSync(off.folder), false);
  });
});

describe('COPPICE_JOBS', () => {
  it('is off under a scheduler, which has given each job its share', () => {
    assert.deepEqual(sharingOf({}), NEEDS);
    assert.deepEqual(sharingOf({ SLURM_JOB_ID: '7' }), { way: 'off' });
    assert.deepEqual(sharingOf({ KUBERNETES_SERVICE_HOST: '10.0.0.1' }), { way: 'off' });
    assert.deepEqual(sharingOf({ SLURM_JOB_ID: '7', COPPICE_JOBS: '2' }), { way: 'slots', slots: 2 });
    assert.deepEqual(sharingOf({ COPPICE_JOBS: 'off' }), { way: 'off' });
  });

  for (const said of ['0', '-1', 'all', '1.5', String(mostThreads() + 1)]) {
    it(`refuses ${said}`, () => assert.throws(() => sharingOf({ COPPICE_JOBS: said }), UserError));
  }

  it('divides threads and memory', () => {
    assert.equal(usualThreads({ COPPICE_JOBS: '2' }), Math.max(1, Math.floor(availableParallelism() / 2)));
    assert.equal(usualThreads({ COPPICE_JOBS: '2', COPPICE_THREADS: '3' }), 3);
    assert.equal(usualThreads({ COPPICE_JOBS: '1' }), undefined);
    const whole = memoryFor('hiddenStates');
    const before = process.env.COPPICE_JOBS;
    process.env.COPPICE_JOBS = '4';
    try {
      assert.equal(memoryFor('hiddenStates'), whole / 4);
    } finally {
      if (before === undefined) delete process.env.COPPICE_JOBS;
      else process.env.COPPICE_JOBS = before;
    }
  });
});
