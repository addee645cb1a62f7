/** Progress of a job as a client gets it: reports grow, also where the phases of the job start again. */
import assert from 'node:assert/strict';
import type { JobDesk } from '../../../src/agents/desk';
import { RunnerDesk } from '../../../src/agents/job-desk';
import type { JobRunner } from '../../../src/jobs/runner';
import { type Report, watchedDesk } from '../../../src/mcp/progress';
import { until } from '../../support/until';

const spec = { kind: 'score', checkpoint: 'model' } as const;

/** A desk whose job does what the test tells it. */
function desk(): { desk: JobDesk; progress: (label: string, done: number, total: number) => void; end: () => void } {
  let report: (label: string, done: number, total: number) => void = () => undefined;
  let end = (): void => undefined;
  const run = ((_spec, options) => {
    report = (label, done, total) => options?.onProgress?.({ label, done, total, unit: 'rows' });
    return new Promise((done) => (end = () => done({} as never)));
  }) as JobRunner;
  return { desk: new RunnerDesk(run), progress: (...how) => report(...how), end: () => end() };
}

describe('mcp: progress', () => {
  it('grows over phases that start again, and ends at one', async () => {
    const { desk: inner, progress, end } = desk();
    const reports: Report[] = [];
    const job = watchedDesk(inner, (report) => reports.push(report)).start(spec, 60_000);
    for (const [label, done] of [
      ['first', 2],
      ['first', 2],
      ['second', 1],
      ['second', 4],
      ['third', 0],
    ] as const) {
      const before = reports.length;
      progress(label, done, 4);
      const isNew = !(label === reports.at(-1)?.message && done / 4 <= reports.at(-1)!.progress);
      if (isNew && (reports.at(-1)?.progress ?? 0) < 1) await until('a report', () => reports.length > before);
    }
    end();
    await job;
    assert.deepEqual(
      reports.map(({ message }) => message),
      ['first', 'second', 'second'],
    );
    assert.deepEqual(
      reports.map(({ progress: share, total }) => [share, total]),
      [
        [0.5, 1],
        [0.5001, 1],
        [1, 1],
      ],
    );
  });

  it('is told of the job that a call looks at, and no longer when the call ends', async () => {
    const { desk: inner, progress, end } = desk();
    const { id } = await inner.start(spec, 0);
    const reports: Report[] = [];
    const watched = watchedDesk(inner, (report) => reports.push(report));
    progress('first', 1, 4);
    const looking = watched.look(id, 60_000);
    await until('a report', () => reports.length === 1);
    end();
    assert.equal((await looking)!.state, 'done');
    assert.equal(watched.jobs.length, 1);
    assert.equal(watched.cancel(id), false);
  });
});
