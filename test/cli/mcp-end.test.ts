/** The end of `coppice mcp`, wanted or not: no process is left, nothing is half written, stdout has messages only. */
import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, readdirSync, realpathSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { buildCli, builtProgram, coppice } from '../support/built-cli';
import { endSessions, startMcp } from '../support/mcp';
import { temporaryFolder } from '../support/temporary';
import { eventually, until } from '../support/until';

const sample = resolve(import.meta.dirname, '../../media/sample');
/** Longer than any test waits. */
const SCORING = {
  checkpoint: 'model',
  calibration: 'model/calibration.txt',
  criterion: 'greedy',
  count: 6,
  samples: 32,
};

/** The server with lines of the protocol, written as they come. */
class Raw {
  readonly lines: string[] = [];
  stderr = '';
  private rest = '';
  private constructor(readonly child: ChildProcess) {
    child.stdout!.setEncoding('utf8').on('data', (text: string) => {
      const lines = (this.rest + text).split('\n');
      this.rest = lines.pop()!;
      this.lines.push(...lines);
    });
    child.stderr!.setEncoding('utf8').on('data', (text: string) => (this.stderr += text));
  }

  static start(...args: string[]): Raw {
    const { file, env } = builtProgram();
    return new Raw(
      spawn(process.execPath, [file, 'mcp', ...args], {
        cwd: temporaryFolder(),
        env: { ...env, COPPICE_CACHE: temporaryFolder() },
        stdio: ['pipe', 'pipe', 'pipe'],
      }),
    );
  }

  write(...lines: (string | object)[]): void {
    for (const line of lines) this.child.stdin!.write(`${typeof line === 'string' ? line : JSON.stringify(line)}\n`);
  }

  /** Messages; fails on a line that is none. */
  get messages(): Record<string, unknown>[] {
    const messages = this.lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    for (const { jsonrpc } of messages) assert.equal(jsonrpc, '2.0');
    assert.equal(this.rest, '');
    return messages;
  }

  async answer(id: number): Promise<Record<string, unknown>> {
    await until(`answer ${id}`, () => this.lines.some((line) => line.includes(`"id":${id}`)));
    return this.messages.find((message) => message.id === id)!;
  }

  async begin(): Promise<void> {
    const clientInfo = { name: 'test', version: '1' };
    const params = { protocolVersion: '2025-06-18', capabilities: {}, clientInfo };
    this.write({ jsonrpc: '2.0', id: 0, method: 'initialize', params });
    await this.answer(0);
    this.write({ jsonrpc: '2.0', method: 'notifications/initialized' });
  }

  call(id: number, name: string, input: object): void {
    this.write({ jsonrpc: '2.0', id, method: 'tools/call', params: { name, arguments: input } });
  }

  /** The sidecar's number, once a job runs in it. */
  async sidecar(): Promise<number> {
    await until('the job runs', () => this.lines.some((line) => line.includes(' begins: ')));
    return Number(/compute process (\d+):/.exec(this.lines.join('\n'))![1]);
  }
}

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

describe('coppice mcp: its end', function () {
  this.timeout(120_000);
  let root: string;
  let raw: Raw | undefined;

  before(() => {
    buildCli();
    root = realpathSync(temporaryFolder());
    cpSync(sample, join(root, 'model'), { recursive: true });
  });
  afterEach(async () => {
    raw?.child.kill('SIGKILL');
    raw = undefined;
    await endSessions();
  });

  /** A heal that writes, in its middle. @returns the process that computes */
  const writing = async (server: Raw): Promise<number> => {
    await server.begin();
    const input = { checkpoint: 'model', out: 'out', criterion: 'greedy', count: 6, calibration: SCORING.calibration };
    server.call(1, 'coppice_prune', input);
    return server.sidecar();
  };
  /** But for the folder of the state of jobs, which one that has just begun may not have made yet. */
  const untouched = (): void =>
    assert.deepEqual(
      readdirSync(root).filter((name) => name !== '.coppice'),
      ['model'],
    );

  it('comes with the end of stdin, and takes a running job with it', async () => {
    raw = Raw.start('--root', root, '--device', 'cpu');
    const pid = await writing(raw);
    const ended = once(raw.child, 'exit');
    raw.child.stdin!.end();
    assert.deepEqual(await ended, [0, null]);
    assert.ok(!isAlive(pid), 'an orphan is left');
    untouched();
    assert.ok(raw.messages.length > 1);
    assert.equal(raw.stderr, '');
  });

  it('comes with a signal', async () => {
    raw = Raw.start('--root', root, '--device', 'cpu');
    const pid = await writing(raw);
    const ended = once(raw.child, 'exit');
    raw.child.kill('SIGTERM');
    assert.deepEqual(await ended, [143, null]);
    assert.ok(!isAlive(pid), 'an orphan is left');
    untouched();
  });

  it('leaves no process behind when it is killed', async () => {
    raw = Raw.start('--root', root, '--device', 'cpu');
    const pid = await writing(raw);
    raw.child.kill('SIGKILL');
    assert.ok(await eventually(() => !isAlive(pid)), 'an orphan is left');
    // Before it computes, a job tries its output by a name that the next attempt removes.
    const tried = /^\.out-.*\.coppice-partial$/;
    assert.deepEqual(
      readdirSync(root).filter((name) => name !== '.coppice' && !tried.test(name)),
      ['model'],
    );
  });

  it('does not come with a job that crashes: the agent reads why, and goes on', async () => {
    const session = await startMcp({ args: ['--root', root, '--device', 'cpu'] });
    const running = session.call('coppice_score', { ...SCORING });
    await until('the job runs', () => session.log.some((line) => line.includes('begins')));
    const [, pid] = /compute process (\d+):/.exec(session.log.join('\n'))!;
    process.kill(Number(pid), 'SIGKILL');
    const { text, isError } = await running;
    assert.ok(isError && /was interrupted: the compute process ended: it was killed.*Run it again/.test(text), text);
    const again = await session.call('coppice_score', { checkpoint: 'model', criterion: 'magnitude' });
    assert.ok(!again.isError, again.text);
    assert.deepEqual(session.faults, []);
  });

  it('does not come with messages that are none', async () => {
    raw = Raw.start('--root', root);
    await raw.begin();
    raw.write('nonsense', '', '{"jsonrpc":"2.0"}', '[]', { jsonrpc: '2.0', id: 1, method: 'tools/call' });
    raw.write({ jsonrpc: '2.0', id: 2, method: 'no/such' }, { jsonrpc: '2.0', id: 3, method: 'ping' });
    assert.ok('error' in (await raw.answer(1)) && 'error' in (await raw.answer(2)));
    assert.deepEqual((await raw.answer(3)).result, {});
    assert.ok(raw.messages.some(({ method, params }) => method === 'notifications/message' && params));
    assert.equal(raw.stderr, '');
  });

  it('comes at once with a root that is no folder: wrong usage', async () => {
    const { code, stdout, stderr } = await coppice(['mcp', '--root', join(root, 'missing')]);
    assert.deepEqual([code, stdout], [2, '']);
    assert.match(stderr, /--root .*missing cannot be used\n {2}why: it is not a folder\n {2}try: /);
  });
});
