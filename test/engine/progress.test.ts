/** What long operations report while they run: every phase, in words, and a share of the whole that never goes back. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runCurve } from '../../src/engine/evaluate/run-curve';
import type { Criterion } from '../../src/engine/importance/criteria';
import { runCriterion } from '../../src/engine/importance/run-criterion';
import type { Progress } from '../../src/engine/progress';
import { openForComputing } from '../../src/engine/model/opened';
import { openCheckpoint } from '../../src/engine/checkpoint/open';
import { inThisProcess } from '../../src/jobs/run-spec';
import { run, textFile, tiny } from '../support/retraining';
import { temporaryFolder } from '../support/temporary';

const shareOf = ({ done, total }: Progress): number => done / total;

/** The reports of `work`; they never go back, and end with the whole. */
async function reportsOf(work: (onProgress: (progress: Progress) => void) => Promise<unknown>): Promise<Progress[]> {
  const reports: Progress[] = [];
  await work((progress) => reports.push(progress));
  for (const [i, report] of reports.entries()) {
    const before = i === 0 ? 0 : shareOf(reports[i - 1]);
    assert.ok(shareOf(report) >= before - 1e-12, `${report.label}: ${shareOf(report)} after ${before}`);
    assert.ok(shareOf(report) <= 1 + 1e-9, `${report.label}: ${shareOf(report)}`);
  }
  return reports;
}

const labels = (reports: readonly Progress[]): string[] => [...new Set(reports.map(({ label }) => label))];

describe('progress', () => {
  const source = tiny('llama-gqa-tied');
  const scoring = { calibration: textFile(), samples: 4, length: 16, seed: 1, norm: 'l1', reduction: 'sum' } as const;

  it('of a retraining: the data, the start, every step and every look, the whole of which is one', async () => {
    const reports = await reportsOf((onProgress) =>
      run(source, { heldOut: 6, steps: 4, evalEvery: 2 }, { removed: [{ block: 1 }] }, { onProgress }),
    );
    const said = labels(reports);
    assert.match(said[0], /^encoding text\.txt$/);
    assert.ok(said.includes('measuring the start: 6 of 6 rows'), said.join('\n'));
    assert.ok(said.includes('measuring after step 2: 6 of 6 rows'), said.join('\n'));
    for (const step of [1, 2, 3, 4]) assert.ok(said.some((label) => label.startsWith(`step ${step} of 4`)));
    const start = reports.filter(({ label }) => label.startsWith('measuring the start'));
    // Six rows forwards, of six and 4 steps of 4 rows there and back: it is no end, and no beginning either.
    assert.ok(shareOf(start.at(-1)!) > 0.04 && shareOf(start.at(-1)!) < 0.3, String(shareOf(start.at(-1)!)));
    assert.ok(shareOf(reports.at(-1)!) > 0.98, String(shareOf(reports.at(-1)!)));
    assert.ok(reports.filter(({ unpaced }) => unpaced).every(({ label }) => label.startsWith('encoding')));
  });

  it('of a retraining that is stopped and resumed: what is left is the whole', async () => {
    const controller = new AbortController();
    const out = join(temporaryFolder(), 'out');
    const settings = { heldOut: 4, steps: 6, evalEvery: 3, saveEvery: 1, out };
    const stop = (progress: Progress): void => {
      if (progress.label.startsWith('step 4')) controller.abort();
    };
    await assert.rejects(run(source, settings, {}, { signal: controller.signal, onProgress: stop }));
    const reports = await reportsOf((onProgress) => run(source, { ...settings, resume: true }, {}, { onProgress }));
    assert.ok(labels(reports).every((label) => !label.startsWith('measuring the start')));
    assert.ok(shareOf(reports.at(-1)!) > 0.98, String(shareOf(reports.at(-1)!)));
  });

  it('of a training that heals first goes on where the healing ends', async () => {
    const reports: Progress[] = [];
    const options = {
      checkpoint: source,
      remove: [1],
      data: ['self'],
      selfTokens: 256,
      steps: 4,
      batch: 2,
      length: 16,
    };
    const out = join(temporaryFolder(), 'out');
    await inThisProcess()<'retrain'>(
      { kind: 'retrain', ...options, heldOut: 0, out },
      { onProgress: (report) => reports.push(report) },
    );
    const first = reports.find(({ label }) => label.startsWith('step 1 of 4'))!;
    assert.ok(shareOf(first) > 0.1 && shareOf(first) < 0.8, String(shareOf(first)));
    assert.ok(reports.every((each, i) => i === 0 || shareOf(each) >= shareOf(reports[i - 1])));
  });

  it('of text that the model writes for itself: so many tokens', async () => {
    const reports = await reportsOf((onProgress) =>
      run(source, { data: 'self', selfTokens: 128, steps: 2 }, { removed: [{ block: 1 }] }, { onProgress }),
    );
    assert.match(labels(reports)[0], /^the model writes its training text, \d+ of 128 tokens$/);
    assert.ok(labels(reports).some((label) => label.startsWith('step 2 of 2')));
  });

  for (const criterion of [
    'ppl',
    'kl',
    'taylor',
    'magnitude',
    'block-influence',
    'angular',
    'greedy',
    'search',
    'energy',
    'healed',
  ] as const) {
    it(`of scores by ${criterion}: blocks are counted, and the whole is reached`, async () => {
      const checkpoint = await openCheckpoint(source);
      const reports = await reportsOf((onProgress) =>
        runCriterion(checkpoint, criterion satisfies Criterion, scoring, { onProgress }, { count: 2 }),
      );
      const said = labels(reports);
      assert.ok(
        said.some((label) => label.endsWith('block 4 of 4')),
        said.join('\n'),
      );
      assert.ok(Math.abs(shareOf(reports.at(-1)!) - 1) < 1e-9, String(shareOf(reports.at(-1)!)));
    });
  }

  it('of a greedy run goes on from round to round', async () => {
    const checkpoint = await openCheckpoint(source);
    const reports = await reportsOf((onProgress) =>
      runCriterion(checkpoint, 'greedy', scoring, { onProgress }, { count: 2, kept: new Set([0]) }),
    );
    const second = reports.find(({ label }) => label.startsWith('round 2 of 2'))!;
    assert.ok(shareOf(second) > 0.3, String(shareOf(second)));
  });

  it('of a curve: the ranking, then the points', async () => {
    const opened = await openForComputing(source, {});
    const rows = { from: 'calibration', file: scoring.calibration, samples: 4, length: 16, seed: 1 } as const;
    const options = { criterion: 'ppl', scoring, keepEnds: false, rows } as const;
    const reports = await reportsOf((onProgress) => runCurve(opened, options, { device: 'cpu' }, { onProgress }));
    const said = labels(reports);
    assert.ok(said[0].startsWith('ranking the blocks, step 1 of 2: block 1 of 4'), said[0]);
    assert.equal(said.at(-1), 'measuring the curve, step 2 of 2: losses');
    assert.ok(Math.abs(shareOf(reports.at(-1)!) - 1) < 1e-9);
  });

  it('of work that memory allows in parts only names the part', async () => {
    const checkpoint = await openCheckpoint(source);
    const file = join(temporaryFolder(), 'rows.json');
    writeFileSync(file, JSON.stringify({ rows: Array.from({ length: 4 }, (_, r) => [1, 2, 3, 4 + r]) }));
    const little = { ...scoring, calibration: file, memory: 1 };
    const reports = await reportsOf((onProgress) => runCriterion(checkpoint, 'ppl', little, { onProgress }));
    assert.match(labels(reports)[0], /^part 1 of \d+, step 1 of 2: block 1 of 4$/);
  });
});
