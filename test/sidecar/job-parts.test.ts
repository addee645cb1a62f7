/** Jobs that run as parts of a longer one: its progress, cancelling, warnings and records. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { CancelledError, UserError } from '../../src/engine/errors';
import { inPhases, type Progress } from '../../src/engine/progress';
import { readRecord } from '../../src/engine/records/record';
import type { JobContext } from '../../src/jobs/run';
import { partRunner } from '../../src/jobs/run-job';
import { temporaryFolder } from '../support/temporary';
import { material } from './material';

describe('jobs as parts of a longer one', function () {
  this.timeout(60_000);
  const { model, text } = material();
  const whole = (changes: Partial<JobContext> = {}): Pick<JobContext, 'job' | 'hooks' | 'note' | 'warn'> => ({
    job: {},
    hooks: {},
    note: () => undefined,
    warn: () => undefined,
    ...changes,
  });
  const rows = { checkpoint: model, device: 'cpu', calibration: text, samples: 2, length: 16 } as const;

  it('report their progress as shares of the whole, and keep records of their own', async () => {
    const reports: Progress[] = [];
    const job = { onProgress: (progress: Progress) => reports.push(progress) };
    const [first, second] = inPhases(job, [{ share: 1 }, { share: 3 }]);
    const run = partRunner(whole({ job }));
    const record = join(temporaryFolder(), 'eval.json');
    const { result, results } = await run('eval', rows, { job: first, record });
    const afterFirst = reports.at(-1)!.done;
    assert.ok(Math.abs(afterFirst - 0.25) < 1e-9, `${afterFirst} of the whole`);
    const { result: scored } = await run('score', rows, { job: second });
    assert.ok(Math.abs(reports.at(-1)!.done - 1) < 1e-9);
    assert.ok(
      reports.every(({ done }, i) => i === 0 || done >= reports[i - 1].done),
      'it never decreases',
    );
    assert.equal(scored.full?.ppl, result.ppl);
    const written = await readRecord(record);
    assert.deepEqual([written.kind, written.results.ppl], ['eval', result.ppl]);
    assert.deepEqual(results, result);
  });

  it('report no progress unless they are given a share', async () => {
    const reports: Progress[] = [];
    const run = partRunner(whole({ job: { onProgress: (progress) => reports.push(progress) } }));
    await run('eval', rows);
    assert.deepEqual(reports, []);
  });

  it('end with the whole, warn as the whole, and refuse wrong options', async () => {
    const controller = new AbortController();
    const warnings: string[] = [];
    const run = partRunner(whole({ job: { signal: controller.signal }, warn: (warning) => warnings.push(warning) }));
    await run('eval', { checkpoint: model, device: 'cpu', text, window: 512, limit: 1 });
    assert.match(warnings.join(), /windows of 512 tokens are longer/);
    await assert.rejects(run('eval', { checkpoint: model }), UserError);
    controller.abort();
    await assert.rejects(run('eval', rows), CancelledError);
  });
});
