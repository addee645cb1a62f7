/** The job "experts": its numbers by the golden ones, scores that are read again, parts, and what it refuses by name. */
import assert from 'node:assert/strict';
import { existsSync, statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { openCheckpoint, requireArchitecture } from '../../src/engine/checkpoint/open';
import { parametersOf } from '../../src/engine/checkpoint/parameters';
import type { GivenFor } from '../../src/jobs/kinds';
import { runJob } from '../../src/jobs/run-job';
import { completeOptions } from '../../src/jobs/complete';
import { JOBS } from '../../src/jobs/definitions';
import type { ExpertsResult } from '../../src/jobs/results/experts';
import { assertClose, TOLERANCE } from '../support/close';
import { expertToy } from '../support/expert-toy';
import { expertToy as mixtralToy } from '../support/expert-toys';
import { calibrationFile, checkpointFolder, goldenExperts } from '../support/golden';
import { asGguf } from '../support/golden-gguf';
import { openToy } from '../support/model';
import { itShared } from '../support/shared';
import { temporaryFolder } from '../support/temporary';

const SAMPLE = resolve(import.meta.dirname, '../../media/sample');

describe('dropping experts', () => {
  const folder = temporaryFolder();
  const rows = join(folder, 'rows.json');
  const warned: string[] = [];
  const run = async (given: Partial<GivenFor<'experts'>>): Promise<ExpertsResult> => {
    warned.length = 0;
    const options = completeOptions(JOBS.experts, {
      ...{ checkpoint: expertToy(), calibration: rows, device: 'cpu', threads: 1 },
      ...given,
    });
    const { result } = await runJob('experts', options, {
      job: {},
      hooks: {},
      emit: () => undefined,
      warn: (text) => warned.push(text),
    });
    return result;
  };
  before(() => {
    const ids = (row: number): number[] => Array.from({ length: 20 }, (_, i) => 3 + ((row * 37 + i * 11) % 280));
    writeFileSync(rows, JSON.stringify({ rows: [ids(0), ids(1), ids(2)] }));
  });

  it('of a GGUF file says at most how large it gets, and keeps to a size', async () => {
    const checkpoint = await asGguf(await openToy(mixtralToy({ num_local_experts: 8, intermediate_size: 256 })), [], {
      type: 'f32',
    });
    const { bytesBefore, bytesAfter } = await run({ checkpoint, keep: 6, measure: false });
    assert.equal(bytesBefore, statSync(checkpoint).size);
    const out = join(temporaryFolder(), 'fewer.gguf');
    const written = await run({ checkpoint, fit: bytesAfter!, measure: false, out });
    assert.equal(written.experts.after, 6);
    assert.equal(written.bytesAfter, statSync(out).size);
    assert.ok(written.bytesAfter <= bytesAfter!, `${written.bytesAfter} of ${bytesAfter!}`);
  });

  itShared('gives the golden numbers', async () => {
    const name = 'families3/mixtral-top2';
    const { full, pruned } = goldenExperts(name);
    const { before, after, parameters, blocks, experts } = await run({
      checkpoint: checkpointFolder(name),
      calibration: calibrationFile(name),
    });
    const golden = pruned.find(({ method, ratio }) => method === 'reap' && ratio === 0.25)!;
    assert.deepEqual(experts, { before: 8, after: 6, perToken: 2 });
    assert.equal(parameters, golden.parameters);
    assert.deepEqual(
      blocks.map(({ index, kept }) => ({ block: index, experts: kept })),
      golden.kept,
    );
    assertClose(Number(before!.meanNll), full.meanNll, TOLERANCE.meanNll, 'before');
    assertClose(Number(after!.meanNll), golden.meanNll, TOLERANCE.meanNll, 'after');
  });

  it('with blocks, and from scores that are read again, is the same model', async () => {
    const remove = [3];
    const { blocks, before, after, ...first } = await run({ keep: 3, remove, out: join(folder, 'a') });
    assert.deepEqual(
      blocks.map(({ index }) => index),
      [0, 2],
    );
    assert.match(warned.join('\n'), /3 experts of 6 go from each block/);
    const scores = join(folder, 'scores.json');
    writeFileSync(scores, JSON.stringify({ ...first, blocks }));
    const again = await run({ scores, keep: 3, remove, out: join(folder, 'b') });
    assert.deepEqual(again.blocks, blocks);
    assert.deepEqual([again.before, again.after], [before, after]);
    assert.equal(again.calibration, null);
    const other = await run({
      scores,
      keep: 4,
      remove,
      criterion: 'frequency',
      calibration: undefined,
      measure: false,
    });
    assert.deepEqual([other.before, other.after, other.device], [null, null, null]);
    for (const { scores: each, tokens } of other.blocks) assert.deepEqual(each, tokens);
    // The written model has the loss that was measured without it.
    const { before: written } = await run({ checkpoint: join(folder, 'a'), ratio: 0.34 });
    assert.deepEqual(Number(written!.meanNll), Number(after!.meanNll));
    await assert.rejects(run({ scores, keep: 3 }), { message: /they are of the model with the blocks 3 left out/ });
  });

  it('keeps as many as a size has room for, of experts and blocks together', async () => {
    const checkpoint = mixtralToy({ num_local_experts: 8, intermediate_size: 256 });
    const plain = { checkpoint, calibration: rows, measure: false, remove: [1] } as const;
    const sizes: { keep: number; parameters: number; bytes: number }[] = [];
    for (const keep of [7, 6]) {
      const { parameters, bytesAfter } = await run({ ...plain, keep });
      sizes.push({ keep, parameters, bytes: bytesAfter! });
    }
    for (const { keep, parameters, bytes } of sizes) {
      const goals: readonly Partial<GivenFor<'experts'>>[] = [{ targetParams: parameters }, { fit: bytes }];
      for (const goal of goals) {
        const { experts, ...found } = await run({ ...plain, ...goal });
        assert.deepEqual([experts.after, found.parameters, found.bytesAfter], [keep, parameters, bytes]);
      }
    }
    const [, { parameters, bytes }] = sizes;
    const between = [{ targetParams: parameters + 1 }, { fit: bytes + 1 }];
    assert.deepEqual(
      await Promise.all(between.map(async (goal) => (await run({ ...plain, ...goal })).experts.after)),
      [7, 6],
    );
    // What is told is what is written.
    const out = join(folder, 'fits');
    const { bytesAfter, bytesBefore, parameters: after } = await run({ ...plain, fit: bytes, out });
    const written = await openCheckpoint(out);
    assert.equal(parametersOf(requireArchitecture(written)), after);
    const notes = ['README.md', 'coppice.json'].map((name) => statSync(join(out, name)).size);
    assert.equal(written.size.all - notes.reduce((a, b) => a + b), bytesAfter);
    await assert.rejects(run({ ...plain, remove: undefined, fit: 1_000_000 }), {
      message: /drops too many experts: a token has 2 experts, .* the files have \d+ bytes/,
    });
    assert.equal(bytesBefore, (await openCheckpoint(checkpoint)).size.all);
  });

  it('refuses by name', async () => {
    const out = join(folder, 'never');
    const refused: readonly (readonly [Partial<GivenFor<'experts'>>, RegExp])[] = [
      [{ checkpoint: SAMPLE }, /has no experts: its blocks have a dense FFN/],
      [{ keep: 1 }, /keep.*1.* drops too many experts: a token has 2 experts/],
      [{ keep: 6 }, /drops no expert: each block has 6 experts/],
      [{ ratio: 0.1 }, /drops no expert/],
      [{ ratio: 0.9 }, /drops too many experts/],
      [{ ratio: 1 }, /ratio/],
      [{ remove: [0, 2, 3] }, /No block with experts is left/],
      [{ remove: ['0.ffn'] }, /0\.ffn|module/],
      [{ keep: 4, ratio: 0.25 }, /keep/],
      [{ keep: 4, fit: 2e6 }, /keep/],
      [{ targetParams: 1e9 }, /target-params.* drops no expert: the model has \d+ with all its experts/],
      [{ targetParams: 100 }, /drops too many experts: a token has 2 experts, .* \d+ are left/],
      [{ fit: 1e9 }, /fit.* drops no expert: with all experts the files have \d+ bytes/],
    ];
    for (const [given, message] of refused) await assert.rejects(run({ ...given, out }), { message });
    assert.ok(!existsSync(out));
  });
});
