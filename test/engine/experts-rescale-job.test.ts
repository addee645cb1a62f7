/** The job "experts" with factors of kept experts: held-out rows decide, and what is told is what is written. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openCheckpoint } from '../../src/engine/checkpoint/open';
import { likenessOfViews, wholeStates } from '../../src/engine/evaluate/likeness';
import { splitRows } from '../../src/engine/importance/experts/rescale';
import type { TokenRows } from '../../src/engine/model/forward';
import { fullView } from '../../src/engine/model/view';
import { completeOptions } from '../../src/jobs/complete';
import { JOBS } from '../../src/jobs/definitions';
import type { GivenFor } from '../../src/jobs/kinds';
import type { ExpertsResult } from '../../src/jobs/results/experts';
import { runJob } from '../../src/jobs/run-job';
import { expertToy as qwenToy } from '../support/expert-toy';
import { expertToy } from '../support/expert-toys';
import { withModel } from '../support/model';
import { randomRows } from '../support/random';
import { temporaryFolder } from '../support/temporary';

describe('rescaling kept experts', () => {
  const folder = temporaryFolder();
  const run = async (given: Partial<GivenFor<'experts'>>): Promise<ExpertsResult> => {
    const base = { checkpoint: qwenToy(), keep: 4, measure: false, device: 'cpu', threads: 1 } as const;
    const options = completeOptions(JOBS.experts, { ...base, ...given });
    return (await runJob('experts', options, { job: {}, hooks: {}, emit: () => undefined })).result;
  };
  const rowsOf = (seed: number, count = 8): number[][] => randomRows(count, 16, 288, seed);
  const file = (rows: readonly number[][]): string => {
    const path = join(temporaryFolder(), 'rows.json');
    writeFileSync(path, JSON.stringify({ rows }));
    return path;
  };
  /** The KL divergence of a written checkpoint from its source. */
  const klOf = (checkpoint: string, out: string, rows: TokenRows): Promise<number> =>
    withModel(checkpoint, async (model) => {
      const states = await wholeStates(model, rows);
      try {
        return await withModel(out, async (written) => {
          const view = fullView(written.architecture.layers.length);
          return (await likenessOfViews(written, states, rows, [view]))[0].kl;
        });
      } finally {
        await states.close();
      }
    });

  const GRANITE = {
    model_type: 'granitemoehybrid',
    num_local_experts: 5,
    shared_intermediate_size: 32,
    mamba_n_heads: 16,
    layer_types: ['mamba', 'attention'],
  };
  for (const [name, toy] of [
    ['Qwen3 MoE', qwenToy],
    ['Granite 4', () => expertToy(GRANITE)],
  ] as const) {
    it(`of ${name}: both numbers are those of written checkpoints`, async () => {
      const [checkpoint, rows] = [toy(), rowsOf(1)];
      const calibration = file(rows);
      const outs = ['with', 'without'].map((each) => join(folder, `${name} ${each}`));
      const { rescale, after, experts } = await run({
        checkpoint,
        calibration,
        rescale: true,
        measure: true,
        out: outs[0],
      });
      const plain = await run({ checkpoint, calibration, out: outs[1] });
      assert.equal(plain.rescale, undefined);
      assert.ok(rescale?.applied && rescale.heldOut.with < rescale.heldOut.without);
      assert.ok(rescale.factors.every(({ factors }) => factors.length === experts.after));
      const { heldOut } = splitRows(rows);
      assert.equal(rescale.heldOut.rows, 2);
      assert.equal(await klOf(checkpoint, outs[0], heldOut), rescale.heldOut.with);
      assert.equal(await klOf(checkpoint, outs[1], heldOut), rescale.heldOut.without);
      assert.equal(await klOf(checkpoint, outs[0], rows), Number(after!.kl));
      assert.match(readFileSync(join(outs[0], 'README.md'), 'utf8'), /down_proj was multiplied by a factor/);
      assert.doesNotMatch(readFileSync(join(outs[1], 'README.md'), 'utf8'), /down_proj/);
    });
  }

  it('writes the bytes that it writes without the option where that helps nothing', async () => {
    const calibration = file(rowsOf(3));
    const outs = ['asked', 'not'].map((each) => join(folder, each));
    const { rescale } = await run({ calibration, rescale: true, out: outs[0] });
    await run({ calibration, out: outs[1] });
    assert.ok(rescale && !rescale.applied && rescale.heldOut.with > rescale.heldOut.without);
    assert.ok(rescale.factors.flatMap(({ factors }) => factors).some((factor) => factor !== 1));
    for (const name of ['model.safetensors', 'config.json'])
      assert.ok(readFileSync(join(outs[0], name)).equals(readFileSync(join(outs[1], name))), name);
    const [own, other] = await Promise.all(outs.map((out) => openCheckpoint(out)));
    assert.equal(own.identity, other.identity);
  });

  it('with scores of an earlier run, and without a block', async () => {
    const calibration = file(rowsOf(2));
    const first = await run({ calibration, remove: [3], rescale: true });
    const scores = join(folder, 'scores.json');
    writeFileSync(scores, JSON.stringify(first));
    const again = await run({ scores, calibration, remove: [3], rescale: true });
    assert.deepEqual(again.rescale, first.rescale);
    assert.deepEqual(
      first.rescale!.factors.map(({ index }) => index),
      [0, 2],
    );
  });

  it('refuses by name', async () => {
    const calibration = file(rowsOf(1, 1));
    await assert.rejects(run({ calibration, rescale: true }), {
      name: 'UserError',
      message: /cannot be rescaled: there is one calibration row/,
    });
    const scores = join(folder, 'none.json');
    await assert.rejects(run({ scores, rescale: true }), { message: /rescale.* needs a calibration text/ });
  });
});
