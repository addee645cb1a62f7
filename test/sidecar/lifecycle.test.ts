/** The sidecar's process: it ends with its host, comes back after a crash, and says why it was gone. */
import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { SidecarClient } from '../../src/sidecar/client';
import { JobInterrupted } from '../../src/sidecar/interrupted';
import { temporaryFolder } from '../support/temporary';
import { material } from './material';
import { eventually } from '../support/until';
import { builtSidecar, isAlive, newClient, pidOf } from './started';

/** What ends by itself does so within this time. */
const SOON_MS = 5000;
/** A blocked process never ends by itself: a thread ends it 3 s after its host, which starts late on a busy machine. */
const BLOCKED_MS = 20_000;

describe('sidecar: lifecycle', function () {
  this.timeout(120_000);
  const { model, text } = material(16);
  const drawn = { calibration: text, samples: 10, length: 64 };
  const long = { kind: 'score', checkpoint: model, device: 'cpu', criterion: 'greedy', count: 6, ...drawn } as const;
  const short = { kind: 'score', checkpoint: model, criterion: 'deepest' } as const;
  let client: SidecarClient & { lines: string[] };

  before(() => void builtSidecar());
  afterEach(() => client?.dispose());

  it('greets with versions', async () => {
    client = newClient();
    await client.request('job/cancel', { id: 'none' });
    assert.ok(client.status.state === 'ready' && client.status.versions.node === process.versions.node);
    assert.match(client.status.versions.onnxruntime, /^\d+\.\d+/);
  });

  it('ends when its host is killed in the middle of a job', async () => {
    const [host, pid] = await hostOf('host-process.ts', builtSidecar(), JSON.stringify(long));
    assert.ok(isAlive(pid));
    host.kill('SIGKILL');
    assert.ok(await eventually(() => !isAlive(pid), SOON_MS), 'an orphan is left');
  });

  it('ends when its host is killed while a driver blocks it', async () => {
    const [host, pid] = await hostOf('blocked-process.ts');
    assert.ok(isAlive(pid));
    host.kill('SIGKILL');
    assert.ok(await eventually(() => !isAlive(pid), BLOCKED_MS), 'an orphan is left');
  });

  it('ends when it idles, and starts again', async () => {
    client = newClient({ idleMs: () => 50 });
    await client.run(short);
    const pid = pidOf(client);
    assert.ok(await eventually(() => !isAlive(pid), SOON_MS));
    assert.equal(client.status.state, 'stopped');
    await client.run(short);
  });

  it('ends when it is disposed of in the middle of a job', async () => {
    const other = newClient();
    const job = other.run(long);
    await underWay(other);
    const pid = pidOf(other);
    await Promise.all([assert.rejects(job), other.dispose()]);
    assert.ok(!isAlive(pid));
  });

  it('is started again when it was killed; the job is interrupted, the one behind it is not', async () => {
    client = newClient();
    const [first, second] = [client.run(long), client.run(short)];
    await underWay(client);
    process.kill(pidOf(client), 'SIGKILL');
    await assert.rejects(first, (error) => error instanceof JobInterrupted && error.why.includes('killed'));
    assert.equal((await second).result.criterion, 'deepest');
  });

  it('says that a file was cut when the system ended it for that', async function () {
    if (process.platform === 'win32') this.skip();
    client = newClient();
    const job = client.run(long);
    await underWay(client);
    process.kill(pidOf(client), 'SIGBUS');
    await assert.rejects(job, (error) => error instanceof JobInterrupted && error.why.includes('was cut'));
  });

  it('says what it could not survive', async () => {
    client = clientWith("process.on('SIGUSR2', () => { throw new Error('a bug'); });");
    const job = client.run(long);
    await underWay(client);
    process.kill(pidOf(client), 'SIGUSR2');
    await assert.rejects(
      job,
      (error) => error instanceof JobInterrupted && error.why.includes('it failed with an error: a bug'),
    );
    assert.ok(client.lines.some((line) => /^error: .*a bug\n.*at /s.test(line)));
  });

  it('takes nothing down when it runs out of memory', async () => {
    client = clientWith(
      "process.on('SIGUSR2', () => { const hog = []; for (;;) hog.push(new Array(1e5).fill(hog.length)); });",
      '--max-old-space-size=128',
    );
    const job = client.run(long);
    await underWay(client);
    process.kill(pidOf(client), 'SIGUSR2');
    await assert.rejects(job, (error) => error instanceof JobInterrupted && error.why.endsWith('it ran out of memory'));
    await client.run(short);
  });
});

/** A client whose sidecar runs this script first, with these options of Node. */
function clientWith(script: string, options = ''): SidecarClient & { lines: string[] } {
  const file = join(temporaryFolder(), 'first.cjs');
  writeFileSync(file, script);
  const fork: Parameters<typeof newClient>[0] = {
    fork: (program, args, settings) =>
      spawn(process.execPath, [...options.split(' ').filter(Boolean), '--require', file, program, ...args], settings),
  };
  return newClient(fork);
}

function underWay(client: SidecarClient): Promise<void> {
  return new Promise((go) => {
    const subscription = client.onProgress(() => {
      subscription.dispose();
      go();
    });
  });
}

/** A process of this folder, and the pid that it prints: its child's. */
async function hostOf(script: string, ...args: string[]): Promise<[ChildProcess, number]> {
  const file = resolve(import.meta.dirname, script);
  const host = spawn(process.execPath, ['--import', 'tsx', file, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = (await once(host.stdout, 'data')) as [Buffer];
  return [host, Number(line.toString().split('\n')[0])];
}
