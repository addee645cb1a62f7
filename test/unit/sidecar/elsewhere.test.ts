/** Jobs that run elsewhere stand in the client's list, and the sidecar does not notice them. */
import assert from 'node:assert/strict';
import { CancelledError } from '../../../src/engine/errors';
import type { JobOutcome, JobSpec } from '../../../src/protocol/jobs';
import { SidecarClient } from '../../../src/sidecar/client';
import { jobTitle } from '../../../src/jobs/titles';
import { FakeClock, settle } from './fake-clock';
import { FakeForks } from './fake-sidecar';

const silent = (): void => undefined;
const log = { trace: silent, debug: silent, info: silent, warn: silent, error: silent };
const spec: JobSpec = { kind: 'score', checkpoint: '/models/a', criterion: 'ppl' };
const outcome = { result: {}, record: '/runs/a.json', device: null, notes: [], warnings: [] } as unknown as JobOutcome;

describe('a job that runs elsewhere', () => {
  let forks: FakeForks;
  let client: SidecarClient;

  beforeEach(() => {
    forks = new FakeForks();
    client = new SidecarClient({ program: 'sidecar.cjs', fork: forks.fork, log, clock: new FakeClock() });
  });

  it('is listed with its progress, starts no process, and ends as other jobs do', async () => {
    const ended: unknown[] = [];
    client.onEnded(({ id, on, outcome: given }) => ended.push([id, on, given]));
    let finish: () => void = silent;
    const done = client.attend(spec, async ({ onProgress }) => {
      onProgress({ label: '1 of 2 parts', done: 1, total: 2, unit: 'share' });
      await new Promise<void>((go) => (finish = go));
      return outcome;
    });
    const [job] = client.jobs;
    assert.equal(jobTitle(job), 'Scoring a on the cluster');
    assert.equal(job.progress?.label, '1 of 2 parts');
    assert.equal(job.state, 'running');
    finish();
    assert.equal(await done, outcome);
    assert.deepEqual(client.jobs, []);
    assert.deepEqual(ended, [[job.id, 'cluster', outcome]]);
    assert.equal(forks.made.length, 0);
  });

  it('keeps no job of the sidecar waiting', async () => {
    void client.attend(spec, () => new Promise(silent));
    const local = client.run(spec);
    local.catch(silent);
    await client.request('job/cancel', { id: 'none' });
    await settle();
    assert.equal(forks.last.jobs.length, 1);
    const [first, second] = client.jobs;
    assert.deepEqual([first.on, second.on], [undefined, 'cluster']);
    assert.deepEqual([client.isBehind(first.id), client.isBehind(second.id)], [false, false]);
  });

  it('is cancelled from the list, and from where it was begun', async () => {
    const until = ({ signal }: { readonly signal: AbortSignal }): Promise<never> =>
      new Promise((_, reject) => signal.addEventListener('abort', () => reject(new CancelledError())));
    const listed = assert.rejects(client.attend(spec, until), CancelledError);
    await client.cancel(client.jobs[0].id);
    await listed;
    const controller = new AbortController();
    const begun = assert.rejects(client.attend(spec, until, { signal: controller.signal }), CancelledError);
    controller.abort();
    await begun;
    await assert.rejects(client.attend(spec, until, { signal: controller.signal }), CancelledError);
    assert.deepEqual(client.jobs, []);
  });
});
