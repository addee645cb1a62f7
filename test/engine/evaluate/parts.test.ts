/** Evaluations and curves in parts give the records of one process, to the last bit. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { writeAdapter } from '../../../src/engine/adapter/files';
import { openCheckpoint, requireArchitecture } from '../../../src/engine/checkpoint/open';
import { shownText } from '../../../src/engine/option-token';
import type { Fault } from '../../../src/jobs/define';
import { fileFor, runJob } from '../../../src/jobs/run-job';
import { evalFault, curveFault } from '../../../src/jobs/parts/faults';
import { randomAdapter } from '../../support/adapters';
import { brokenCheckpoint } from '../../support/broken';
import { assertSameInParts, cutOptions, runPartOf } from '../../support/parts';
import { refused } from '../../support/retraining';
import { full } from '../../support/shared';
import { temporaryFolder } from '../../support/temporary';
import { tinyCheckpoint } from '../../support/tiny-models';

const SAMPLE = resolve(import.meta.dirname, '../../../media/sample');
const SAMPLE_ROWS = { checkpoint: SAMPLE, calibration: join(SAMPLE, 'calibration.txt'), samples: 5, length: 300 };

/** Rows of a length of which two go in one run. */
function rowsFile(rows: number, change: (row: number[], r: number) => void = () => undefined): string {
  const file = join(temporaryFolder(), 'rows.json');
  const row = (r: number): number[] => Array.from({ length: 300 }, (_, i) => 3 + ((i * 37 + r * 101) % 200));
  const all = Array.from({ length: rows }, (_, r) => row(r));
  all.forEach(change);
  writeFileSync(file, JSON.stringify({ rows: all }));
  return file;
}

const toy = (): string => tinyCheckpoint('llama-gqa-tied', { tokenizer: true, config: { num_hidden_layers: 5 } });

describe('eval in parts gives the record of one process', function () {
  this.timeout(120_000);

  it('of a text', async () => {
    const text = { text: join(SAMPLE, 'evaluation.txt'), window: 300, limit: 5 };
    const { result } = await assertSameInParts('eval', { checkpoint: SAMPLE, ...text }, [3]);
    assert.equal(result.windows, 5);
  });

  it('of calibration rows, without blocks and modules: with divergence and agreement', async () => {
    const { result } = await assertSameInParts('eval', { ...SAMPLE_ROWS, remove: [2, '3.ffn'] }, full ? [1, 3] : [3]);
    assert.ok(result.kl! > 0.1 && result.top1! < 1);
  });

  it('with an adapter, whose unpruned model is another one', async () => {
    const checkpoint = toy();
    const opened = await openCheckpoint(checkpoint);
    const adapter = join(temporaryFolder(), 'adapter');
    await writeAdapter(adapter, randomAdapter(requireArchitecture(opened)), opened);
    await assertSameInParts('eval', { checkpoint, adapter, calibration: rowsFile(5) }, [2]);
  });

  it('in blocks of 8 bits', async () => {
    await assertSameInParts('eval', { checkpoint: toy(), calibration: rowsFile(5), precision: 'int8' }, [3]);
  });

  it('with the place where numbers break, in whichever part it is', async () => {
    const checkpoint = await brokenCheckpoint('model.embed_tokens.weight', [250 * 64], NaN);
    const calibration = rowsFile(5, (row, r) => (row[7] = r === 3 ? 250 : row[7]));
    const { result, warnings } = await assertSameInParts('eval', { checkpoint, calibration }, [3]);
    assert.ok(Number.isNaN(result.meanNll));
    assert.match(warnings.join('\n'), /mean loss .* is NaN: its hidden states are not finite after the embedding$/);
  });
});

describe('curve in parts gives the record of one process', function () {
  this.timeout(120_000);
  const calibration = rowsFile(5);

  it('by a file of scores', async () => {
    const given = { checkpoint: toy(), calibration };
    const scores = join(temporaryFolder(), 'scores.json');
    const place = fileFor(scores);
    await runJob('score', cutOptions('score', given), { job: {}, hooks: {}, emit: () => undefined, place });
    const options = { ...given, scores, keepEnds: false, keep: [1], most: 3 };
    const { result } = await assertSameInParts('curve', options, full ? [1, 3, 7] : [7]);
    assert.ok(result.points.length === 4 && !result.points.some(({ removed }) => removed.includes(1)));
  });

  it('by divergence, up to a limit, of a part of the model', async () => {
    const given = { checkpoint: toy(), criterion: 'magnitude', keepEnds: false, remove: ['4.ffn'] } as const;
    const { result } = await assertSameInParts('curve', { ...given, calibration, maxKl: 2 }, [4]);
    const { within, points } = result;
    assert.ok(within!.count > 0 && within!.kl === points[within!.count].kl);
  });

  it('by a criterion that reads nothing', async () => {
    const text = { text: join(SAMPLE, 'evaluation.txt'), window: 300, limit: 3 };
    await assertSameInParts('curve', { checkpoint: SAMPLE, criterion: 'deepest', most: 2, ...text }, [4]);
  });

  it('with the points that break', async () => {
    const checkpoint = await brokenCheckpoint('model.layers.2.mlp.down_proj.weight', [7], NaN);
    const given = { checkpoint, calibration, criterion: 'deepest', keepEnds: false, measure: 'kl' } as const;
    const { warnings } = await assertSameInParts('curve', given, [2]);
    assert.match(warnings.join('\n'), /hidden states are not finite after block 2/);
  });
});

describe('what cannot be cut', () => {
  const words = (fault: Fault | undefined): string => shownText(`${fault?.what}: ${fault?.why}. ${fault?.action}`);
  const model = { checkpoint: SAMPLE, text: join(SAMPLE, 'evaluation.txt') };

  it('says what to do', async () => {
    assert.match(
      words(evalFault(cutOptions('eval', { ...model, repetition: 2 }))),
      /^--repetition cannot be used with --part.*Leave --repetition out/,
    );
    assert.match(
      words(
        curveFault(
          cutOptions('curve', {
            ...model,
            measure: 'tasks',
            own: [join(SAMPLE, 'stories.coppice-tasks.json')],
            criterion: 'deepest',
          }),
        ),
      ),
      /^--measure tasks cannot be used with --part.*job `tasks` with the models as its columns/,
    );
    for (const [criterion, how] of [
      ['ppl', 'with --part too'],
      ['greedy', 'in one run'],
    ] as const) {
      const options = cutOptions('curve', {
        ...model,
        criterion,
        calibration: join(SAMPLE, 'calibration.txt'),
        most: 2,
      });
      assert.match(
        words(curveFault(options)),
        new RegExp(`Score first,? ${how}, and give that record as --scores FILE`),
      );
      assert.equal(curveFault({ ...options, scores: 'scores.json' }), undefined);
    }
    const folder = temporaryFolder();
    await refused(runPartOf('eval', { ...model, repetition: 2 }, 1, 2, folder), /cannot be used with/);
    await refused(runPartOf('eval', { ...model, window: 300, limit: 4 }, 1, 3, folder), /Take at most 2 parts/);
    const failed = JSON.parse(readFileSync(join(folder, 'part-1-of-3.json.progress'), 'utf8')) as { state: string };
    assert.equal(failed.state, 'failed');
  });
});
