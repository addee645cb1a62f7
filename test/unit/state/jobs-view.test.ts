/** The view "Jobs" without VS Code: which lines, in which order, in which words; and which records it reads. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CancelledError, UserError } from '../../../src/engine/errors';
import { newRecord, recordText } from '../../../src/engine/records/record';
import { RunStore, type StoredRun } from '../../../src/jobs/record-store';
import type { StoppedTraining } from '../../../src/engine/retrain/loop/stopped';
import { FailedJobs } from '../../../src/host/jobs/failed-jobs';
import { VisiblePanels } from '../../../src/host/jobs/visible-panels';
import { isSameJob } from '../../../src/jobs/same-job';
import type { JobInfo, JobSpec } from '../../../src/protocol/jobs';
import { type JobLine, type JobSources, linesOf } from '../../../src/state/jobs/line';
import { RunHistory } from '../../../src/state/jobs/run-history';
import { wordsOf } from '../../../src/state/jobs/words';
import { temporaryFolder } from '../../support/temporary';

const NOW = Date.parse('2026-11-27T12:00:00Z');
const MINUTE = 60_000;
const SCORE = { kind: 'score', checkpoint: '/models/oak', criterion: 'magnitude' } as const satisfies JobSpec;
const EXPORT: JobSpec = { kind: 'export', checkpoint: '/models/oak', format: 'gguf', out: '/oak.gguf' };
const TRAIN: JobSpec = { kind: 'retrain', checkpoint: '/models/oak', data: ['/d'], out: '/out' };

const job = (id: string, more: Partial<JobInfo> = {}): JobInfo => ({
  id,
  kind: 'score',
  checkpoint: '/models/oak',
  state: 'running',
  ...more,
});
const training: StoppedTraining = {
  out: '/out',
  step: 12,
  steps: 40,
  log: { steps: [], evaluations: [] },
  model: 'x',
} as unknown as StoppedTraining;

function run(name: string, minutes: number, more: object = {}): StoredRun {
  const finished = new Date(NOW - minutes * MINUTE).toISOString();
  const digest = { kind: 'score', started: finished, finished, model: { name: 'oak' }, removed: [], device: 'cpu' };
  const rest = { inputs: [], settings: [], versions: '', score: { criterion: 'ppl', blocks: [] } };
  return { id: name, file: `/runs/${name}`, inputs: [], digest: { ...digest, ...rest, ...more } };
}

const sources = (more: Partial<JobSources>): JobSources => ({
  jobs: [],
  isBehind: () => false,
  elsewhere: [],
  trainings: [],
  stopped: [],
  parts: [],
  failed: [],
  runs: [],
  hasMore: false,
  ...more,
});
const failed = (minutes: number, spec: JobSpec = SCORE, id = 'f') => {
  return { id, spec, error: new UserError('The device fails', 'it is hot', 'Wait.'), ended: NOW - minutes * MINUTE };
};
/** Keeps what is JSON. */
function newStore() {
  const kept = new Map<string, string>();
  return {
    get: (key: string): unknown => (kept.has(key) ? JSON.parse(kept.get(key)!) : undefined),
    update: (key: string, value: unknown): Promise<void> => Promise.resolve(void kept.set(key, JSON.stringify(value))),
  };
}
const words = (line: JobLine) => wordsOf(line, NOW);

describe('lines of jobs', () => {
  it('are in order: what runs, waits, was stopped, has ended', () => {
    const lines = linesOf(
      sources({
        jobs: [job('1'), job('2', { state: 'queued' }), job('3', { on: 'cluster' })],
        isBehind: (id) => id === '2',
        elsewhere: [EXPORT, EXPORT],
        trainings: [training],
        stopped: [{ spec: SCORE, resumes: false }],
        parts: [{ folder: '/c', spec: SCORE }],
        failed: [failed(3)],
        runs: [run('new', 1), run('old', 5)],
        hasMore: true,
      }),
    );
    assert.deepEqual(
      lines.map(({ key }) => key.replace(/\{.*/, '')),
      [
        'job:1',
        'job:3',
        'job:2',
        'elsewhere:',
        'training:/out',
        'stopped:',
        'parts:/c',
        'run:/runs/new',
        'failed:f',
        'run:/runs/old',
        'more',
      ],
    );
    assert.equal(new Set(lines.map(({ key }) => key)).size, lines.length);
  });

  it('have none for a stopped training that goes on, here or in another window', () => {
    const again = { ...TRAIN, resume: true };
    const here = { jobs: [job('1')], specOf: () => again, trainings: [training] };
    assert.deepEqual(
      linesOf(sources(here)).map(({ kind }) => kind),
      ['running'],
    );
    assert.deepEqual(
      linesOf(sources({ elsewhere: [again], trainings: [training] })).map(({ kind }) => kind),
      ['elsewhere'],
    );
  });

  it('have one for a training, whose state says more than its interruption or its error', () => {
    const twice = sources({
      trainings: [training],
      stopped: [{ spec: TRAIN, resumes: true }],
      failed: [failed(1, TRAIN)],
    });
    assert.deepEqual(
      linesOf(twice).map(({ kind }) => kind),
      ['training'],
    );
    assert.deepEqual(
      linesOf({ ...twice, trainings: [] }).map(({ kind }) => kind),
      ['stopped', 'failed'],
    );
  });
});

describe('words of a job', () => {
  it('say how far it is, how long it takes, and where', () => {
    const progress = { label: 'block 4 of 30', done: 1, total: 8, unit: 'share', secondsLeft: 280 };
    const local = words({ kind: 'running', key: '', info: job('1', { progress }) });
    assert.deepEqual([local.label, local.description], ['Scoring oak', '12 % · about 4:40 left']);
    assert.deepEqual(local.hover, ['Scoring oak', 'block 4 of 30 · 12 % · about 4:40 left', 'Runs on this machine']);
    assert.equal(local.spoken, 'Scoring oak, running', 'no numbers that change all the time');
    const cluster = words({ kind: 'running', key: '', info: job('1', { on: 'cluster' }) });
    assert.deepEqual([cluster.label, cluster.description], ['Scoring oak on the cluster', 'Preparing…']);
    const known = words({ kind: 'running', key: '', info: job('1'), spec: SCORE });
    assert.equal(known.label, 'Scoring oak by magnitude');
    const waiting = words({ kind: 'queued', key: '', info: job('2') });
    assert.deepEqual([waiting.description, waiting.spoken], ['waiting', 'Scoring oak, waiting']);
  });

  it('tell runs over one model apart by what they leave out, at work and done', () => {
    const spec: JobSpec = { kind: 'eval', checkpoint: '/models/oak', calibration: '/t', remove: [4, 5, 7] };
    assert.equal(words({ kind: 'running', key: '', info: job('1'), spec }).label, 'Evaluating oak without 4–5, 7');
    const done = run('a', 1, { kind: 'eval', removed: [4, 5, 7] });
    assert.equal(words({ kind: 'finished', key: '', run: done }).label, 'Evaluated oak without 4–5, 7');
    const whole: JobSpec = { ...spec, remove: [] };
    assert.equal(words({ kind: 'running', key: '', info: job('1'), spec: whole }).label, 'Evaluating oak');
  });

  it('say why it failed, and what became of it', () => {
    const wrong = words({ kind: 'failed', key: '', failed: failed(5) });
    assert.deepEqual([wrong.label, wrong.description], ['Scoring oak by magnitude', 'failed: it is hot']);
    assert.ok(wrong.hover.includes('Wait.') && wrong.hover.includes('5 minutes ago'));
    assert.match(wrong.spoken, /^Failed: Scoring oak/);
    assert.equal(words({ kind: 'training', key: '', training }).description, 'stopped at step 12 of 40');
    assert.equal(words({ kind: 'stopped', key: '', job: { spec: SCORE, resumes: false } }).description, 'interrupted');
    assert.equal(words({ kind: 'elsewhere', key: '', spec: SCORE }).description, 'runs in another window');
    const dropped = words({ kind: 'stopped', key: '', job: { spec: SCORE, resumes: false, cancelled: true } });
    assert.equal(dropped.description, 'cancelled');
    const cut = words({ kind: 'parts', key: '', run: { folder: '/c', spec: SCORE } });
    assert.match(`${cut.label}: ${cut.description}`, /on the cluster: parts failed/);
  });

  it('of a record have its model, what it left out, and when it was', () => {
    const line = words({ kind: 'finished', key: '', run: run('a', 130, { removed: [4, 5], adapter: 'lora' }) });
    assert.equal(line.label, 'Scored oak by ppl without 4–5');
    assert.equal(line.description, '2 hours ago · with lora');
    const quality = [{ label: 'Original', ppl: 12.345678 }];
    const measured = words({ kind: 'finished', key: '', run: run('a', 1, { kind: 'eval', quality }) });
    assert.deepEqual([measured.label, measured.description], ['Evaluated oak', '1 minute ago · perplexity 12.346']);
    const later = words({ kind: 'finished', key: '', run: run('a', 1, { kind: 'of a later version' }) });
    assert.equal(later.label, 'of a later version oak');
    const exported = words({
      kind: 'finished',
      key: '',
      run: run('a', 0, { kind: 'export', exported: 'oak-q8.gguf' }),
    });
    assert.deepEqual([exported.label, exported.description], ['Exported oak', 'just now · oak-q8.gguf']);
  });
});

describe('jobs that failed', () => {
  it('are kept until they succeed or are dismissed; cancelling is no failure', () => {
    let told = 0;
    const jobs = new FailedJobs(newStore(), () => NOW);
    jobs.onChange(() => told++);
    jobs.ended({ id: '1', spec: SCORE, error: new CancelledError() });
    assert.deepEqual([jobs.all.length, told], [0, 0]);
    jobs.ended({ id: '2', spec: SCORE, error: new Error('x') });
    jobs.ended({ id: '3', spec: TRAIN, error: new Error('y') });
    assert.deepEqual(
      jobs.all.map(({ spec }) => spec.kind),
      ['retrain', 'score'],
    );
    jobs.ended({ id: '4', spec: { ...SCORE, device: 'cpu' }, outcome: {} as never });
    assert.deepEqual(
      jobs.all.map(({ spec }) => spec.kind),
      ['retrain'],
      'it succeeded on the CPU',
    );
    jobs.dismiss(jobs.all[0].id);
    assert.deepEqual([jobs.all.length, told], [0, 4]);
  });

  it('stay over reloads, with what to do about them; short ones do not', () => {
    const store = newStore();
    const jobs = new FailedJobs(store, () => NOW);
    jobs.ended({ id: 'job-1', spec: TRAIN, error: new UserError('No room', 'the disk is full', 'Free some.') });
    jobs.ended({ id: 'job-2', spec: SCORE, error: new Error('x') });
    jobs.ended({ id: 'job-3', spec: { kind: 'generate', checkpoint: '/m' }, error: new Error('short') });
    const [score, train] = new FailedJobs(store).all;
    assert.deepEqual([score.spec, (score.error as Error).message, score.ended], [SCORE, 'x', NOW]);
    const { what, why, action } = train.error as UserError;
    assert.deepEqual([what, why, action], ['No room', 'the disk is full', 'Free some.']);
    new FailedJobs(store).dismiss(score.id);
    assert.equal(new FailedJobs(store).all.length, 1);
    void store.update('jobsFailed', [{ id: 'x' }, null, { ...train, error: 7 }]);
    assert.deepEqual(new FailedJobs(store).all, []);
  });

  it('are the same by what they write, or by what they were asked', () => {
    assert.ok(isSameJob(TRAIN, { ...TRAIN, resume: true, steps: 7 }));
    assert.ok(!isSameJob(TRAIN, { ...TRAIN, out: '/other' }));
    assert.ok(isSameJob(SCORE, { device: 'cpu', records: ['/r'], ...SCORE }));
    assert.ok(!isSameJob(SCORE, { ...SCORE, criterion: 'taylor' }));
  });
});

describe('panels that are seen', () => {
  it('count, so that a panel that is hidden twice hides no other', () => {
    const panels = new VisiblePanels();
    const [first, second] = [panels.shown('/m'), panels.shown('/m')];
    first();
    first();
    assert.ok(panels.has('/m'));
    second();
    assert.ok(!panels.has('/m') && !panels.has('/other'));
  });
});

describe('the newest runs', () => {
  const folder = temporaryFolder();
  const write = (n: number, text: string): void =>
    writeFileSync(join(folder, `20260401T${String(n).padStart(6, '0')}Z-score-aaaaaa.json`), text);
  const record = (n: number): string => {
    const at = new Date(NOW + n * 1000);
    return recordText(
      newRecord({ kind: 'score', inputs: [], settings: { criterion: 'ppl' }, results: {}, started: at, finished: at }),
    );
  };

  it('are all that is read of a folder of a thousand', async () => {
    for (let n = 0; n < 969; n++) write(n, 'more text');
    for (let n = 969; n < 1000; n++) write(n, record(n));
    const history = new RunHistory();
    const { runs, hasMore } = await history.newest([folder, folder], 30);
    assert.equal(runs.length, 30);
    assert.ok(hasMore);
    assert.match(runs[0].id, /000999Z/);
    assert.deepEqual((await new RunStore(folder).list(31)).unreadable, [], 'older ones are not even opened');
    await history.remove([runs[0]]);
    assert.match((await history.newest([folder], 30)).runs[0].id, /000998Z/);
  });
});
