/** Jobs that are started beside each other on one machine wait for their turn, and say why. */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { Ticket } from '../../src/sharing/tickets';
import { coppice, jsonOf, startCoppice } from '../support/built-cli';
import { type CliMaterial, makeCliMaterial } from '../support/cli';
import { temporaryFolder } from '../support/temporary';

describe('command line: jobs that share a machine', function () {
  this.timeout(120_000);
  let material: CliMaterial;
  let score: string[];

  before(() => {
    material = makeCliMaterial();
    score = ['score', material.model, '--calibration', material.rows, '--device', 'cpu'];
  });

  /** A cache of its own, so that no other test of this machine has tickets there. */
  const machine = (said = ''): { folder: string; env: Record<string, string> } => {
    const cache = temporaryFolder();
    return { folder: join(cache, 'jobs', hostname()), env: { COPPICE_CACHE: cache, COPPICE_JOBS: said } };
  };

  it('a part waits while an earlier one has the threads, then runs, and leaves no ticket', async () => {
    const { folder, env } = machine();
    const first = await Ticket.take(folder, { job: 'score', bytes: 1e9, threads: 4096 });
    await first?.begin();
    const part = [...score, '--part', '1/2', '--record', join(temporaryFolder(), 'part.json'), '--json'];
    const second = startCoppice(part, {
      env,
      onStderr: (text) => {
        if (text.includes('waits: ')) void first?.end();
      },
    });
    const ended = await second.result;
    assert.match(ended.stderr, /^waits: 1 job of this machine has 4096 of \d+ threads, and this one takes \d+$/m);
    assert.deepEqual(jsonOf(ended).part, { job: 'score', number: 1, of: 2 });
    assert.deepEqual(readdirSync(folder), []);
  });

  it('a whole job waits for memory, not for threads; Ctrl-C ends the waiting', async () => {
    const { folder, env } = machine();
    const first = await Ticket.take(folder, { job: 'retrain', bytes: 1e18, threads: 4096 });
    await first?.begin();
    const ended = await coppice(score, { env, interrupt: 'SIGINT' });
    assert.equal(ended.code, 130, ended.stderr);
    assert.match(ended.stderr, /waits: 1 job of this machine may take .+ of memory, and this one .+ of /);
    assert.deepEqual(readdirSync(folder), ['1']);
    await first?.end();
  });

  it('COPPICE_JOBS is a limit, "off", or wrong', async () => {
    const { folder, env } = machine('off');
    const first = await Ticket.take(folder, { job: 'retrain', bytes: 1e18, threads: 4096 });
    await first?.begin();
    const free = await coppice([...score, '--json'], { env });
    assert.equal(jsonOf(free).criterion, 'ppl');
    assert.doesNotMatch(free.stderr, /waits/);
    const one = await coppice(score, { env: { ...env, COPPICE_JOBS: '1' }, interrupt: 'SIGINT' });
    assert.match(one.stderr, /waits: 1 job of this machine runs, and COPPICE_JOBS is 1/);
    await first?.end();
    const wrong = await coppice(score, { env: { ...env, COPPICE_JOBS: 'many' } });
    assert.equal(wrong.code, 1);
    assert.match(wrong.stderr, /COPPICE_JOBS is "many"/);
  });
});
