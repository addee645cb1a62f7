/** Jobs under way are remembered, and those that a window did not see the end of are told by the next one, once. */
import assert from 'node:assert/strict';
import { JobJournal } from '../../../src/host/jobs/job-journal';
import { WindowJobs } from '../../../src/host/window-jobs';
import type { JobSpec } from '../../../src/protocol/jobs';
import { temporaryFolder } from '../../support/temporary';

/** Keeps what is JSON, as VS Code does. */
function newStore() {
  const kept = new Map<string, string>();
  return {
    windows: temporaryFolder(),
    get: (key: string): unknown => (kept.has(key) ? JSON.parse(kept.get(key)!) : undefined),
    update: (key: string, value: unknown): Promise<void> => Promise.resolve(void kept.set(key, JSON.stringify(value))),
  };
}

const SCORE: JobSpec = { kind: 'score', checkpoint: '/m', criterion: 'magnitude' };
const PRUNE: JobSpec = { kind: 'prune', checkpoint: '/m', blocks: [1], out: '/o', choice: 'hand' };

/** The journal of a window. Those before it, in the same process, are gone. */
const journalOf = (store: ReturnType<typeof newStore>): JobJournal =>
  new JobJournal(store, new WindowJobs(store.windows));

describe('the journal of jobs', () => {
  it('has those that had not ended when the window went away, and tells them once', () => {
    const store = newStore();
    const journal = journalOf(store);
    assert.deepEqual(journal.interrupted.jobs, []);
    const [endScore, endPrune] = [journal.begun(SCORE), journal.begun(PRUNE)];
    endPrune();
    journal.close();
    endScore(); // the sidecar is disposed of, by which every job ends
    assert.deepEqual(journalOf(store).interrupted.jobs, [SCORE]);
    assert.deepEqual(journalOf(store).interrupted.jobs, []);
  });

  it('has them without a word of goodbye, too', () => {
    const store = newStore();
    journalOf(store).begun(PRUNE);
    assert.deepEqual(journalOf(store).interrupted.jobs, [PRUNE]);
  });

  it('knows two jobs of the same kind apart', () => {
    const store = newStore();
    const journal = journalOf(store);
    const [first] = [journal.begun({ ...SCORE }), journal.begun({ ...SCORE })];
    first();
    assert.equal(journalOf(store).interrupted.jobs.length, 1);
  });

  it('leaves out what is short or asked for by the panel, and what it does not know', async () => {
    const store = newStore();
    const journal = journalOf(store);
    journal.begun({ kind: 'generate', checkpoint: '/m', prompt: 'x' });
    journal.begun({ kind: 'eval', checkpoint: '/m', calibration: 'x' });
    journal.begun({ kind: 'eval', checkpoint: '/m', text: 'x' });
    assert.deepEqual(
      journalOf(store).interrupted.jobs.map(({ kind }) => kind),
      ['eval'],
    );
    await store.update('jobsUnderWay', [null, { kind: 'later' }, 7]);
    assert.deepEqual(journalOf(store).interrupted.jobs, []);
    await store.update('jobsUnderWay', 'nonsense');
    assert.deepEqual(journalOf(store).interrupted.jobs, []);
  });

  it('has the short ones that waited, to tell of them', () => {
    const store = newStore();
    const journal = journalOf(store);
    const text: JobSpec = { kind: 'generate', checkpoint: '/m', prompt: 'x' };
    journal.begun(SCORE);
    journal.begun(text);
    assert.deepEqual(journalOf(store).interrupted, { jobs: [SCORE], short: [text] });
  });

  it('drops jobs whose options this version does not have', async () => {
    const store = newStore();
    const older = [
      { kind: 'score', checkpoint: '/m', criterion: 'ppl', calibration: { file: '/t', samples: 4 } },
      { kind: 'retrain', checkpoint: '/m', out: '/o', settings: { method: { kind: 'lora' }, data: ['/d'] } },
      { kind: 'curve', checkpoint: '/m', criterion: 'ppl', calibration: { file: '/t' }, plus: true },
      { kind: 'eval', checkpoint: '/m', text: 7 },
      { kind: 'prune', checkpoint: '/m', blocks: [1] },
    ];
    await store.update('jobsUnderWay', [...older, SCORE]);
    assert.deepEqual(journalOf(store).interrupted.jobs, [SCORE]);
  });

  it('keeps jobs of every kind that the commands start', () => {
    const jobs: JobSpec[] = [
      { kind: 'score', checkpoint: '/m', criterion: 'ppl', calibration: '/t', samples: 4, length: 8, records: ['/r'] },
      { kind: 'eval', checkpoint: '/m', text: '/t', remove: [1, '2.ffn'], device: 'cpu', threads: 2 },
      { kind: 'retrain', checkpoint: '/m', data: ['/d'], out: '/o', remove: [3], rank: 4, resume: true },
      { kind: 'curve', checkpoint: '/m', criterion: 'ppl', calibration: '/t', keepEnds: true, keep: [0] },
      { kind: 'merge', checkpoint: '/m', adapter: '/a', out: '/o' },
      PRUNE,
    ];
    const store = newStore();
    const journal = journalOf(store);
    for (const job of jobs) journal.begun(job);
    assert.deepEqual(journalOf(store).interrupted.jobs, jobs);
  });
});

describe('jobs that were cancelled', () => {
  it('stay over reloads, each once, until they run again; short ones do not', () => {
    const store = newStore();
    const journal = journalOf(store);
    journal.cancel(SCORE);
    journal.cancel({ ...SCORE, device: 'cpu' });
    journal.cancel({ kind: 'generate', checkpoint: '/m', prompt: 'x' });
    const later = journalOf(store);
    assert.equal(later.cancelled.length, 1);
    assert.deepEqual([later.cancelled[0].kind, later.stopped], ['score', []]);
    later.begun(SCORE);
    assert.deepEqual(journalOf(store).cancelled, []);
  });

  it('are not those that a closing window ends', () => {
    const store = newStore();
    const journal = journalOf(store);
    journal.close();
    journal.cancel(SCORE);
    assert.deepEqual(journalOf(store).cancelled, []);
  });
});

describe('jobs that were stopped', () => {
  const ITERATE: JobSpec = { kind: 'iterate', checkpoint: '/m', calibration: '/t', count: 1, out: '/i' };

  it('stay over reloads, each once, until they run again or are forgotten', () => {
    const store = newStore();
    journalOf(store).begun(SCORE);
    const second = journalOf(store);
    second.stop(ITERATE);
    second.stop({ ...ITERATE, resume: true });
    assert.deepEqual(
      journalOf(store).stopped.map(({ kind }) => kind),
      ['iterate', 'score'],
    );
    const third = journalOf(store);
    let told = 0;
    third.onChange(() => told++);
    third.begun({ ...SCORE, device: 'cpu' });
    third.forget(PRUNE); // which is not there
    assert.deepEqual([third.stopped.length, told], [1, 1]);
    third.forget(ITERATE);
    assert.deepEqual(third.stopped, []);
  });

  it('are not changed by the jobs that a closing window ends', () => {
    const store = newStore();
    const journal = journalOf(store);
    journal.close();
    journal.stop(ITERATE);
    assert.deepEqual(journalOf(store).stopped, []);
  });
});
