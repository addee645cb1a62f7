/** The status of a run from its folder alone: no scheduler is asked. */
import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeRunFolder, partFile, partLog, partProgressFile, recordFile, runFile } from '../../../src/cluster/folder';
import { jobName } from '../../../src/cluster/kubernetes/asked';
import { type ClusterStatus, statusOf } from '../../../src/cluster/status';
import { resubmitFailed } from '../../../src/cluster/submit';
import { newRecord, writeRecord } from '../../../src/engine/records/record';
import { temporaryFolder } from '../../support/temporary';

const facts = { inputs: [], settings: {}, started: new Date() };

async function writePart(file: string, number: number, of: number): Promise<void> {
  const results = {
    part: { job: 'score', number, of },
    frame: {},
    data: Array.from({ length: 20_000 }, (_, i) => i / 7),
    path: '/models/a',
    seconds: 1,
    peakRssBytes: 1,
    processor: 'p',
    warnings: [],
  };
  await writeRecord(file, newRecord({ kind: 'part', ...facts, results }));
}

function writeProgress(file: string, number: number, of: number, more: object): void {
  const content = { schema: 1, part: { job: 'score', number, of }, host: 'n1', pid: 1, beat: 1, ...more };
  writeFileSync(file, JSON.stringify(content));
}

const failure = {
  state: 'failed',
  error: { what: 'Cannot read a.txt', why: 'the disk is full', action: 'Free some.' },
};
const running = { state: 'running', progress: { label: 'block 3 of 12', done: 1, total: 4, unit: 'blocks' } };
const states = ({ parts }: ClusterStatus): string[] => parts.map(({ state }) => state);
const ago = (file: string, seconds: number): void => utimesSync(file, new Date(), Date.now() / 1000 - seconds);

describe('cluster: status from the folder alone', () => {
  let folder: string;
  let PATH: string | undefined;

  before(() => {
    ({ PATH } = process.env);
    process.env.PATH = '/nowhere'; // no Slurm
  });
  after(() => (process.env.PATH = PATH));

  beforeEach(async () => {
    folder = join(temporaryFolder(), 'run');
    const submission = { id: '7', gather: '8', parts: [1, 2, 3, 4, 5, 6], at: '2026-01-01T00:00:00.000Z' };
    await makeRunFolder(folder, {
      kind: 'score',
      words: ['score', '/models/a'],
      parts: 7,
      scheduler: 'slurm',
      asked: {},
      command: ['coppice'],
      submissions: [submission],
    });
  });

  it('tells parts that are done, that run, that failed, that went silent and that wait', async () => {
    await writePart(partFile(folder, 1), 1, 7);
    writeProgress(partProgressFile(folder, 2), 2, 7, running);
    writeProgress(partProgressFile(folder, 3), 3, 7, failure);
    writeProgress(partProgressFile(folder, 4), 4, 7, running);
    ago(partProgressFile(folder, 4), 3600);
    writeFileSync(partLog(folder, 4), 'begun\nslurmstepd: error: *** JOB 9 ON n1 CANCELLED DUE TO TIME LIMIT ***\n');
    writeProgress(partProgressFile(folder, 5), 5, 7, { state: 'cancelled' });
    const found = await statusOf(folder);
    assert.deepEqual(states(found), ['done', 'running', 'failed', 'failed', 'failed', 'waiting', 'waiting']);
    assert.deepEqual(found.counts, { done: 1, running: 1, waiting: 2, failed: 3 });
    assert.deepEqual(found.parts[1].progress, { share: 0.25, label: 'block 3 of 12' });
    assert.equal(found.parts[2].error, 'Cannot read a.txt: the disk is full');
    assert.equal(found.parts[3].error, '*** JOB 9 ON n1 CANCELLED DUE TO TIME LIMIT ***');
    assert.equal(found.parts[6].error, 'not submitted');
    assert.equal(found.progress, 1.25 / 7);
    assert.deepEqual([found.gather, found.record, found.scheduler?.asked], [{ state: 'waiting' }, null, false]);
    // Looking leaves nothing behind.
    assert.ok(!readdirSync(join(folder, 'parts')).some((name) => name.startsWith('.')));
    await assert.rejects(
      resubmitFailed(folder, () => assert.fail('nothing to start')),
      /cannot be asked/,
    );
  });

  it('hands no word of a shared folder to a scheduler that is not a job of it', async () => {
    const run = JSON.parse(readFileSync(runFile(folder), 'utf8')) as object;
    const write = (scheduler: string, id: string): void => {
      const submissions = [{ id, parts: [1], at: '2026-01-01T00:00:00.000Z' }];
      writeFileSync(runFile(folder), JSON.stringify({ ...run, scheduler, submissions }));
    };
    const forged: [string, string][] = [
      ['kubernetes', '--kubeconfig=/shared/evil'],
      ['kubernetes', 'somebodys-job'],
      ['kubernetes', 'coppice-a,other'],
      ['slurm', '--uid=0'],
      ['slurm', '12,13'],
    ];
    for (const [scheduler, id] of forged) {
      write(scheduler, id);
      await assert.rejects(statusOf(folder), /run\.json: submissions is not a list of submissions/, id);
    }
    if (process.platform === 'win32') return;
    // Its names come last, after the end of the options.
    const programs = temporaryFolder();
    const said = join(programs, 'said');
    writeFileSync(join(programs, 'kubectl'), `#!/bin/sh\necho "$@" >> '${said}'\necho '{"items":[]}'\n`, {
      mode: 0o755,
    });
    process.env.PATH = programs;
    write('kubernetes', jobName('/records/Run 7', 1));
    await statusOf(folder);
    process.env.PATH = '/nowhere';
    assert.match(readFileSync(said, 'utf8'), /^get .* -- jobs coppice-run-7-2$/m);
  });

  it('takes the time of the disk and not that of this machine', async () => {
    writeProgress(partProgressFile(folder, 1), 1, 7, running);
    const { now } = Date;
    try {
      Date.now = () => now() + 86_400_000;
      assert.equal((await statusOf(folder)).parts[0].state, 'running');
    } finally {
      Date.now = now;
    }
  });

  it('a record that is cut off, or of another part, is none', async () => {
    await writePart(partFile(folder, 1), 1, 7);
    assert.equal((await statusOf(folder)).parts[0].state, 'done');
    truncateSync(partFile(folder, 1), 50_000);
    await writePart(partFile(folder, 2), 3, 7);
    const { parts } = await statusOf(folder);
    assert.match(parts[0].error ?? '', /its record cannot be used: .*not JSON/);
    assert.match(parts[1].error ?? '', /it is part 3\/7 of score/);
    // Written by another program, without line breaks: the whole file is read.
    writeFileSync(
      partFile(folder, 2),
      readFileSync(partFile(folder, 2), 'utf8').replace(/\n */g, ' ').replace('"number": 3', '"number": 2'),
    );
    assert.equal((await statusOf(folder)).parts[1].state, 'done');
  });

  it('the record of the run is there when it is whole', async () => {
    await writeRecord(recordFile(folder), newRecord({ kind: 'score', ...facts, results: {} }));
    const found = await statusOf(folder);
    assert.deepEqual([found.record, found.gather.state], [recordFile(folder), 'done']);
    truncateSync(recordFile(folder), 100);
    assert.equal((await statusOf(folder)).record, null);
  });

  it('parts that no submission began are shown, of one run only', async () => {
    const other = temporaryFolder();
    await assert.rejects(statusOf(other), /has no run/);
    await writePart(join(other, 'b.json'), 2, 3);
    writeProgress(join(other, 'c.json.progress'), 3, 3, running);
    const found = await statusOf(other);
    assert.deepEqual(states(found), ['waiting', 'done', 'running']);
    assert.equal(found.scheduler, null);
    mkdirSync(join(other, 'parts'));
    assert.deepEqual(states(await statusOf(other)), states(found));
    await writePart(join(other, 'd.json'), 1, 4);
    await assert.rejects(statusOf(other), /parts of several runs/);
  });
});
