/** The job "experts" in parts: gathered, they are the record of one process, to the last bit, and what its scores choose. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { shownText } from '../../src/engine/option-token';
import { gatherParts } from '../../src/jobs/parts/gather';
import { expertsFault } from '../../src/jobs/parts/faults';
import type { GivenFor } from '../../src/jobs/kinds';
import { runJob } from '../../src/jobs/run-job';
import { writeRecord } from '../../src/engine/records/record';
import { expertToy } from '../support/expert-toy';
import { assertSameInParts, cutOptions, runInParts } from '../support/parts';
import { full } from '../support/shared';
import { temporaryFolder } from '../support/temporary';

/** Rows so long that three go in one run. */
function rowsFile(rows: number): string {
  const file = join(temporaryFolder(), 'rows.json');
  const row = (r: number): number[] => Array.from({ length: 200 }, (_, i) => 3 + ((i * 37 + r * 101) % 280));
  writeFileSync(file, JSON.stringify({ rows: Array.from({ length: rows }, (_, r) => row(r)) }));
  return file;
}

describe('experts in parts', () => {
  const given = (): GivenFor<'experts'> => ({ checkpoint: expertToy(), calibration: rowsFile(7), measure: false });

  it('give the record of one process, with little memory too', async () => {
    const { result } = await assertSameInParts('experts', given(), full ? [1, 2, 3] : [2]);
    assert.deepEqual([result.experts.after, result.before, result.text], [5, null, null]);
    assert.ok(result.blocks.length === 3 && result.scoringSeconds > 0);
    const small = await runInParts('experts', { ...given(), memory: 1_000_000 }, 2);
    assert.deepEqual((small.result as typeof result).blocks, result.blocks);
  });

  it('without blocks, by another criterion: the gathered scores choose as those of one process', async () => {
    const options = { ...given(), remove: [2], criterion: 'frequency', seed: 3 } as const;
    const { record, result } = await assertSameInParts('experts', options, [2]);
    const scores = join(temporaryFolder(), 'scores.json');
    await writeRecord(scores, record);
    const { checkpoint, calibration, remove, criterion } = options;
    const again = cutOptions('experts', { checkpoint, remove, criterion, scores, text: calibration });
    const { result: chosen } = await runJob('experts', again, { job: {}, hooks: {}, emit: () => undefined });
    assert.deepEqual(chosen.blocks, result.blocks);
    assert.ok(Number(chosen.after!.kl) > 0);
  });

  it('are refused where something in them was changed', async () => {
    const { files } = await runInParts('experts', given(), 2);
    interface Changed {
      results: { data: { values: { tokens: number[] } }[]; frame: { facts: { experts: { before: number } } } };
    }
    const original = readFileSync(files[0], 'utf8');
    for (const [change, why] of [
      [({ results }: Changed) => results.data.pop(), /of variant 12 is missing|row \d+ of .* variant 1\d is missing/],
      [({ results }: Changed) => (results.data[0].values.tokens[0] += 0.5), /are no numbers of tokens/],
      [({ results }: Changed) => (results.frame.facts.experts.before = 1e9), /differ in what their numbers mean/],
    ] as const) {
      const record = JSON.parse(original) as Changed;
      change(record);
      writeFileSync(files[0], JSON.stringify(record));
      await assert.rejects(gatherParts(files, temporaryFolder()), why);
    }
    assert.ok(!existsSync(`${files[0]}.progress`));
  });

  it('need no more than the scores, and say so', () => {
    const words = (more: Partial<GivenFor<'experts'>>): string => {
      const fault = expertsFault(cutOptions('experts', { ...given(), ...more }));
      return shownText(`${fault?.what}: ${fault?.why}. ${fault?.action}`);
    };
    assert.match(
      words({ out: 'x' }),
      /^--out cannot be used with --part.*Gather the parts.*--scores FILE together with --out/,
    );
    assert.match(words({ text: 'x.txt' }), /^--text cannot be used with --part/);
    assert.match(words({ rescale: true }), /^--rescale cannot be used with --part: it needs the scores of all parts/);
    assert.match(words({ rescale: true }), /give that record as --scores FILE together with --rescale/);
    assert.match(words({ scores: 'x.json' }), /^--scores cannot be used with --part: then no token is routed/);
    assert.match(
      words({ measure: true }),
      /^The loss before and after cannot be measured with --part.*Add --no-measure/,
    );
    assert.equal(expertsFault(cutOptions('experts', given())), undefined);
  });
});
