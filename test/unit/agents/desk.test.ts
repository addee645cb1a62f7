/** The desk of jobs: short ones are waited for, long ones go on under an id. */
import assert from 'node:assert/strict';
import { RunnerDesk } from '../../../src/agents/job-desk';
import { progressWords } from '../../../src/agents/job-answer';
import { CancelledError, UserError } from '../../../src/engine/errors';
import type { JobRunner } from '../../../src/jobs/runner';
import type { VerifySpec } from '../../../src/protocol/jobs';
import type { ScoreSpec } from '../../../src/protocol/jobs';

/** A job that ends when the test says so, or when it is cancelled. */
interface Started {
  readonly spec: unknown;
  readonly report: (done: number, secondsLeft?: number) => void;
  readonly finish: () => void;
  readonly fail: (error: unknown) => void;
}

function runnerOfTests(): { readonly run: JobRunner; readonly started: Started[] } {
  const started: Started[] = [];
  const run = ((spec, { signal, onProgress } = {}) =>
    new Promise((resolve, reject) => {
      signal?.addEventListener('abort', () => reject(new CancelledError()));
      started.push({
        spec,
        report: (done, secondsLeft) =>
          onProgress?.({ label: 'block 3', done, total: 8, unit: 'blocks', ...(secondsLeft && { secondsLeft }) }),
        finish: () => resolve({ result: {}, record: null, device: null, notes: [], warnings: [] } as never),
        fail: reject,
      });
    })) as JobRunner;
  return { run, started };
}

const spec: ScoreSpec = { kind: 'score', checkpoint: './model' };
const LONG_MS = 60_000;

describe('the desk of jobs', () => {
  it('waits for a short job, and numbers jobs by their kind', async () => {
    const { run, started } = runnerOfTests();
    const desk = new RunnerDesk(run);
    const first = desk.start<'score'>(spec, LONG_MS);
    started[0].finish();
    const { id, state, ended } = await first;
    assert.deepEqual([id, state], ['score-1', 'done']);
    assert.ok(ended);
    assert.equal((await desk.start<'eval'>({ kind: 'eval', checkpoint: './model' }, 0)).id, 'eval-1');
    assert.equal((await desk.start<'score'>(spec, 0)).id, 'score-2');
    assert.deepEqual(
      desk.jobs.map((job) => job.id),
      ['score-2', 'eval-1', 'score-1'],
    );
  });

  it('starts no programs of others, whoever asks: a tool, or a recipe', async () => {
    const { run, started } = runnerOfTests();
    const desk = new RunnerDesk(run);
    const verify: VerifySpec = { kind: 'verify', output: './m', consumers: true, consumersFrom: '.' };
    await desk.start<'verify'>(verify, 0);
    const task = { name: 'recipe', title: '', subject: '', remains: '' };
    await desk.begin({ ...task, run: (runner) => runner<'verify'>(verify).then(() => []) }, 0);
    assert.deepEqual(
      started.map((each) => each.spec),
      [
        { kind: 'verify', output: './m' },
        { kind: 'verify', output: './m' },
      ],
    );
  });

  it('lets a long job go on, says how far it is, and has its end for who asks', async () => {
    const { run, started } = runnerOfTests();
    const desk = new RunnerDesk(run);
    assert.equal((await desk.start(spec, 1)).state, 'running');
    started[0].report(2, 80);
    const job = (await desk.look('score-1', 0))!;
    assert.equal(progressWords(job), 'block 3, 25 %, about 1:20 left');
    const waiting = desk.look('score-1', LONG_MS);
    started[0].finish();
    assert.equal((await waiting)!.state, 'done');
    assert.equal(await desk.look('score-9', 0), undefined);
  });

  it('keeps why a job failed', async () => {
    const { run, started } = runnerOfTests();
    const desk = new RunnerDesk(run);
    const failing = desk.start(spec, LONG_MS);
    const why = new UserError('no', 'because', 'Stop.');
    started[0].fail(why);
    const { state, error } = await failing;
    assert.deepEqual([state, error], ['failed', why]);
  });

  it('cancels a job that runs, and no other', async () => {
    const { run } = runnerOfTests();
    const desk = new RunnerDesk(run);
    await desk.start(spec, 0);
    assert.ok(desk.cancel('score-1'));
    assert.equal((await desk.look('score-1', LONG_MS))!.state, 'cancelled');
    assert.ok(!desk.cancel('score-1') && !desk.cancel('score-2'));
  });

  it('cancels a job whose caller gives up while it waits, and only the waiting later', async () => {
    const { run } = runnerOfTests();
    const desk = new RunnerDesk(run);
    const controller = new AbortController();
    const waiting = desk.start(spec, LONG_MS, controller.signal);
    controller.abort();
    assert.equal((await waiting).state, 'cancelled');
    await desk.start(spec, 0);
    assert.equal((await desk.look('score-2', LONG_MS, AbortSignal.abort()))!.state, 'running');
  });

  it('forgets the oldest of more than fifty that have ended, and none that runs', async () => {
    const { run, started } = runnerOfTests();
    const desk = new RunnerDesk(run);
    await desk.start(spec, 0);
    for (let job = 1; job <= 52; job++) {
      const ending = desk.start(spec, LONG_MS);
      started[job].finish();
      await ending;
    }
    const ids = desk.jobs.map(({ id }) => id);
    assert.equal(ids.length, 51);
    assert.ok(
      ids.includes('score-1') && ids.includes('score-53') && !ids.includes('score-2') && !ids.includes('score-3'),
    );
  });
});
