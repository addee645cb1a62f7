/** A file of weights that is cut while it is mapped: the system ends the process, and a sentence says why. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { buildCli, startCoppice } from '../support/built-cli';
import { makeCliMaterial } from '../support/cli';
import { ownTinyCheckpoint } from '../support/tiny-models';
import { until } from '../support/until';

const hasProc = existsSync('/proc/self/task');

/** Whether the process has started a shell. */
function hasShell(pid: number): boolean {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean);
  return children.some((child) => readFileSync(`/proc/${child}/comm`, 'utf8') === 'sh\n');
}

(hasProc ? describe : describe.skip)('command line: a file that is cut while it is mapped', function () {
  this.timeout(60_000);
  before(() => buildCli());

  const started = (): { model: string; running: ReturnType<typeof startCoppice> } => {
    const model = ownTinyCheckpoint('llama-plain');
    const { rows } = makeCliMaterial();
    const args = ['score', model, '--criterion', 'greedy', '--count', '2', '--calibration', rows, '--no-keep-ends'];
    return { model, running: startCoppice([...args, '--device', 'cpu', '--threads', '1']) };
  };

  it('ends with a sentence', async () => {
    const { model, running } = started();
    await until('a shell waits', () => hasShell(running.pid));
    // Stopped meanwhile, so that it meets the end of the file as the signal, and not as an error of its own.
    running.kill('SIGSTOP');
    const file = join(model, 'model.safetensors');
    truncateSync(file, 1000);
    running.kill('SIGBUS');
    running.kill('SIGCONT');
    const { code, stderr } = await running.result;
    assert.equal(code, null);
    assert.match(stderr, /error: \S+model\.safetensors was cut while Coppice read it\n {2}why: .*SIGBUS.*\n {2}try: /);
  });

  it('says nothing of files that are whole, nor of other ends', async () => {
    const { running } = started();
    await until('a shell waits', () => hasShell(running.pid));
    running.kill('SIGKILL');
    assert.doesNotMatch((await running.result).stderr, /was cut/);
  });
});
