/** The sidecar dies in the middle of jobs: the host lives, says so, starts it again, and the next try gives the same. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { JobOutcome } from '../../../src/protocol/jobs';
import type { ScoreResult } from '../../../src/jobs/results/score';
import { clearWorkspace, coppice, inWorkspace, run, writeModel, writeText } from '../support/coppice';
import { until } from '../../support/until';
import { Window } from '../support/window';

const Interrupted = (error: unknown): boolean => error instanceof Error && 'spec' in error;

describe('the sidecar', () => {
  let checkpoint: string;
  let text: string;
  let window: Window;
  const score = (): Promise<ScoreResult> =>
    run('scoreBlocks', { checkpoint, criterion: 'ppl', calibration: text, samples: 24, length: 64, device: 'cpu' });

  before(async () => {
    window = await Window.connect();
    await clearWorkspace();
    checkpoint = writeModel('model');
    text = writeText('prose.txt');
    await run('refreshCheckpoints');
  });
  after(() => window.disconnect());

  it('is another process, starts when it is needed, and says on what it computes', async () => {
    const { sidecar } = await coppice();
    await score();
    const { status, device } = sidecar;
    assert.equal(status.state, 'ready');
    assert.ok(status.state === 'ready' && status.pid !== process.pid);
    assert.equal(device?.provider, 'cpu');
  });

  it('comes back after a crash in the middle of a job; the next try gives the same scores', async () => {
    const { sidecar } = await coppice();
    const expected = await score();
    const running = score();
    const ended = assert.rejects(running, Interrupted);
    await until('the job runs', () => sidecar.jobs.some(({ state }) => state === 'running'));
    killSidecar(await coppice());
    await ended;
    const again = await score();
    assert.deepEqual(again.blocks, expected.blocks);
  });

  it('leaves no half output when it dies while training, and resumes', async () => {
    const { sidecar } = await coppice();
    const out = inWorkspace('adapter');
    const train = {
      checkpoint,
      data: [text],
      steps: 40,
      out,
      device: 'cpu',
      settings: { batch: 2, length: 32, saveEvery: 5 },
    };
    const running = run('retrainLora', train);
    const ended = assert.rejects(running, Interrupted);
    await until('the first state is saved', () => (sidecar.jobs[0]?.progress?.done ?? 0) > 0);
    killSidecar(await coppice());
    await ended;
    assert.ok(!existsSync(join(out, 'adapter_model.safetensors')));
    const resumed = await run<JobOutcome['result'] & { steps: number }>('retrainLora', { ...train, resume: true });
    assert.equal(resumed.steps, 40);
    assert.ok(existsSync(join(out, 'adapter_model.safetensors')));
    const leftovers = readdirSync(inWorkspace()).filter((name) => name.endsWith('.coppice-partial'));
    assert.deepEqual(leftovers, []);
  });

  it('is given up after too many crashes, says so with a way out, and comes back when asked', async () => {
    const { sidecar } = await coppice();
    await until(
      'it crashed too often',
      async () => {
        if (sidecar.status.state === 'ready') killSidecar(await coppice());
        return sidecar.status.state === 'failed';
      },
      50_000,
    );
    await window.page.locator('.notification-toast', { hasText: 'crashed repeatedly' }).waitFor();
    await window.page
      .locator('#coppice\\.coppice\\.coppice\\.status, .statusbar-item[id*="coppice"]')
      .first()
      .waitFor();
    await window.screenshot('sidecar-failed');
    await assert.rejects(score(), { name: 'UserError' });
    const status = await run<{ state: string }>('restartSidecar');
    assert.equal(status.state, 'ready');
    assert.equal((await score()).blocks?.length, 8);
  });
});

function killSidecar({ sidecar }: Awaited<ReturnType<typeof coppice>>): void {
  const { status } = sidecar;
  assert.ok(status.state === 'ready', `the sidecar is ${status.state}`);
  process.kill(status.pid, 'SIGKILL');
}
