/** Two windows of a workspace, as two processes: each sees the jobs and the plans of the other. */
import assert from 'node:assert/strict';
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { JobJournal } from '../../../src/host/jobs/job-journal';
import { SharedStore, takeAlong } from '../../../src/host/shared-store';
import { WindowJobs } from '../../../src/host/window-jobs';
import type { JobSpec } from '../../../src/protocol/jobs';
import { Plans } from '../../../src/state/plan';
import { temporaryFolder } from '../../support/temporary';
import { until } from '../../support/until';

const EXPORT: JobSpec = { kind: 'export', checkpoint: '/m', format: 'gguf', out: '/m.gguf' };
const subject = { path: '/m', identity: 'm', blocks: 4 };
const other = { path: '/n', identity: 'n', blocks: 4 };

describe('windows of a workspace', () => {
  const closing: { dispose(): void }[] = [];
  let child: ChildProcess | undefined;

  afterEach(() => {
    child?.kill('SIGKILL');
    child = undefined;
    for (const each of closing.splice(0)) each.dispose();
  });

  /** Opens another window, which begins a job and changes a plan. */
  async function open(folder: string): Promise<ChildProcess> {
    const program = join(import.meta.dirname, 'other-window.ts');
    child = fork(program, [folder, JSON.stringify(EXPORT)], { execArgv: ['--import', 'tsx'] });
    await once(child, 'message');
    return child;
  }

  /** This window. */
  function here(folder: string) {
    const before = { get: () => undefined, update: () => Promise.resolve() };
    const store = new SharedStore(join(folder, 'shared'), before);
    const windows = new WindowJobs(join(folder, 'windows'));
    closing.push(store, windows);
    return { store, windows, journal: new JobJournal(store, windows) };
  }

  it('show what runs in another one, which is not interrupted', async () => {
    const folder = temporaryFolder();
    const first = await open(folder);
    const { windows, journal } = here(folder);
    assert.deepEqual([journal.interrupted.jobs, journal.stopped, journal.elsewhere], [[], [], [EXPORT]]);
    first.send({ end: true });
    await once(first, 'message');
    windows.look();
    assert.deepEqual([journal.stopped, journal.elsewhere], [[], []]);
  });

  it('take the job of one that was killed, once', async () => {
    const folder = temporaryFolder();
    const first = await open(folder);
    const { windows, journal } = here(folder);
    const told: (readonly JobSpec[])[] = [];
    journal.onInterrupted(({ jobs }) => told.push(jobs));
    first.kill('SIGKILL');
    await once(first, 'exit');
    windows.look();
    windows.look();
    assert.deepEqual([told, journal.stopped, journal.elsewhere], [[[EXPORT]], [EXPORT], []]);
    assert.deepEqual(here(folder).journal.interrupted.jobs, []);
  });

  it('do not take another process with the same number for it', async function () {
    if (process.platform !== 'linux') this.skip();
    const folder = temporaryFolder();
    await open(folder);
    const [name] = readdirSync(join(folder, 'windows'));
    const file = join(folder, 'windows', name);
    const mark = JSON.parse(readFileSync(file, 'utf8')) as { birth: string };
    writeFileSync(file, JSON.stringify({ ...mark, birth: String(Number(mark.birth) - 1) }));
    assert.deepEqual(here(folder).journal.interrupted.jobs, [EXPORT]);
  });

  it('follow the plans of each other, and overwrite none', async () => {
    const folder = temporaryFolder();
    const { store } = here(folder);
    const plans = new Plans(store);
    plans.set(other, [0]);
    const changed: string[] = [];
    plans.onChange((path) => changed.push(path));
    await open(folder);
    await until('the folder tells of the change', () => (store.look(), changed.length > 0));
    assert.deepEqual([changed, plans.removed(subject), plans.removed(other)], [['/m'], [2], [0]]);
    plans.set(other, [1]);
    const later = new Plans(here(folder).store);
    assert.deepEqual([later.removed(subject), later.removed(other)], [[2], [1]]);
  });

  it('keep what an earlier version kept for the window', () => {
    const before = { get: () => ({ '/m': { identity: 'm', removed: [3] } }), update: () => Promise.resolve() };
    const store = new SharedStore(temporaryFolder(), before);
    closing.push(store);
    assert.deepEqual(new Plans(store).removed(subject), [3]);
  });

  it('keep what they had in another folder, once', () => {
    const [earlier, now] = [join(temporaryFolder(), 'a'), join(temporaryFolder(), 'b')];
    const before = { get: () => undefined, update: () => Promise.resolve() };
    const plans = (folder: string): Plans => {
      const store = new SharedStore(folder, before);
      closing.push(store);
      return new Plans(store);
    };
    plans(earlier).set(subject, [1]);
    takeAlong(earlier, now);
    assert.deepEqual(plans(now).removed(subject), [1]);
    plans(now).set(subject, [2]);
    takeAlong(earlier, now);
    takeAlong(join(earlier, 'none'), now);
    assert.deepEqual([plans(now).removed(subject), plans(earlier).removed(subject)], [[2], [1]]);
  });
});
