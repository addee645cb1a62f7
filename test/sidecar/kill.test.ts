/**
 * kill −9 of the sidecar at seeded moments (7, in test:full 20), over a score, a prune and a retraining: the host lives, no orphan and no
 * half output is left, and the next try gives the same numbers as a run that nobody disturbed.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { discardTraining } from '../../src/engine/retrain/loop/stopped';
import type { JobSpec } from '../../src/protocol/jobs';
import type { SidecarClient } from '../../src/sidecar/client';
import { JobInterrupted } from '../../src/sidecar/interrupted';
import { uniform } from '../support/random';
import { full } from '../support/shared';
import { temporaryFolder } from '../support/temporary';
import { tinyCheckpoint } from '../support/tiny-models';
import { material } from './material';
import { eventually } from '../support/until';
import { describedClient, isAlive, pidOf } from './started';

const POINTS = full ? { score: 7, prune: 7, retrain: 6 } : { score: 2, prune: 3, retrain: 2 };
const GONE_MS = 5000;

describe('sidecar: kill -9 at any moment', function () {
  this.timeout(300_000);
  const { model, text } = material(8);
  const { model: small } = material(4);
  const big = tinyCheckpoint('llama-plain', {
    config: { hidden_size: 256, intermediate_size: 1024, num_hidden_layers: 12 },
  });
  const client = describedClient();
  const random = uniform(20260401);
  let victims = 0;

  /** Kills the sidecar a share of `wholeMs` after the job began. @returns whether the job had been done by then */
  async function killWithin(spec: JobSpec, wholeMs: number): Promise<boolean> {
    const pid = pidOf(client());
    const job = client()
      .run(spec)
      .then(
        () => undefined,
        (error: unknown) => error,
      );
    await new Promise((go) => setTimeout(go, random() * wholeMs));
    process.kill(pid, 'SIGKILL');
    const error = await job;
    assert.ok(error === undefined || error instanceof JobInterrupted, String(error));
    assert.ok(await eventually(() => !isAlive(pid), GONE_MS), 'an orphan is left');
    if (error !== undefined) victims++;
    await client().restart(); // not to wait longer from kill to kill
    return error === undefined;
  }

  /** Runs the job undisturbed; how long it took, in milliseconds. */
  async function timed<T>(run: (client: SidecarClient) => Promise<T>): Promise<[T, number]> {
    await client().request('job/cancel', { id: 'none' }); // started
    const start = performance.now();
    const result = await run(client());
    return [result, performance.now() - start];
  }

  it(`score, ${POINTS.score} times`, async () => {
    const records = join(temporaryFolder(), 'runs');
    const drawn = { calibration: text, samples: 10, length: 128 };
    const spec = {
      kind: 'score',
      checkpoint: model,
      device: 'cpu',
      threads: 1,
      criterion: 'ppl',
      ...drawn,
      records: [records],
    } as const;
    const [{ result }, ms] = await timed((c) => c.run(spec));
    for (let i = 0; i < POINTS.score; i++) {
      await killWithin(spec, ms);
      assert.deepEqual((await client().run(spec)).result.blocks, result.blocks);
    }
    for (const name of readdirSync(records).filter((file) => !file.startsWith('.'))) {
      JSON.parse(readFileSync(join(records, name), 'utf8')); // complete, each
    }
  });

  it(`prune, ${POINTS.prune} times`, async () => {
    const folder = temporaryFolder();
    const prune = (name: string) =>
      ({ kind: 'prune', checkpoint: big, blocks: [3, 7], out: join(folder, name) }) as const;
    const [, ms] = await timed((c) => c.run(prune('whole')));
    const weights = hashOf(join(folder, 'whole'));
    for (let i = 0; i < POINTS.prune; i++) {
      const spec = prune(`out${i}`);
      const done = await killWithin(spec, ms);
      const complete = existsSync(spec.out);
      if (complete)
        assert.equal(hashOf(spec.out), weights); // the rename was just done
      else assert.ok(!done);
      if (!complete) await client().run(spec);
      assert.equal(hashOf(spec.out), weights);
    }
    const left = readdirSync(folder).filter((name) => !/^(whole|out\d)$/.test(name));
    // What a kill after the last moment left is taken away by the next attempt at the same output.
    assert.deepEqual(left, []);
  });

  it(`retrain, ${POINTS.retrain} times`, async () => {
    const folder = temporaryFolder();
    const settings = {
      rank: 2,
      data: [text],
      length: 32,
      batch: 2,
      steps: 6,
      lr: 0.01,
      saveEvery: 1,
      evalEvery: 3,
      heldOut: 4,
    };
    const retrain = (name: string) =>
      ({
        kind: 'retrain',
        checkpoint: small,
        device: 'cpu',
        threads: 1,
        remove: [2],
        heal: 'none',
        ...settings,
        out: join(folder, name),
        resume: true,
      }) as const;
    const [{ result }, ms] = await timed((c) => c.run(retrain('whole')));
    const weights = hashOf(join(folder, 'whole'), 'adapter_model.safetensors');
    for (let i = 0; i < POINTS.retrain; i++) {
      const spec = retrain(`out${i}`);
      if (!(await killWithin(spec, ms)) && !existsSync(spec.out)) {
        assert.deepEqual((await client().run(spec)).result.evaluations, result.evaluations);
      }
      assert.equal(hashOf(spec.out, 'adapter_model.safetensors'), weights);
      // A kill between the output's rename and the end leaves the state of a run that is complete.
      if (existsSync(`${spec.out}.training`)) await discardTraining(spec.out);
    }
    assert.deepEqual(
      readdirSync(folder).filter((name) => !/^(whole|out\d)$/.test(name)),
      [],
    );
  });

  it('most of the kills were in time', () => {
    const kills = POINTS.score + POINTS.prune + POINTS.retrain;
    assert.ok(victims >= Math.floor(0.6 * kills), `${victims} jobs were interrupted`);
  });
});

function hashOf(folder: string, name = 'model.safetensors'): string {
  return createHash('sha256')
    .update(readFileSync(join(folder, name)))
    .digest('hex');
}
