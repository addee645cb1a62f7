/** Estimates of steps: the last time scaled, operations by the speed of this machine, and more work never takes less time. */
import assert from 'node:assert/strict';
import { existsSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Architecture } from '../../../src/engine/checkpoint/architecture';
import type { JobOutcome, JobSpec } from '../../../src/protocol/jobs';
import { decodedInSecond } from '../../../src/recipes/estimate/decoded';
import { learnStep, MachineSpeeds, stepEstimator } from '../../../src/recipes/estimate';
import { exported, writing } from '../../../src/recipes/estimate/choosing';
import { comparing } from '../../../src/recipes/estimate/measuring';
import type { Part } from '../../../src/recipes/estimate/speeds';
import { planRecipe } from '../../../src/recipes/plan';
import { parseRecipe } from '../../../src/recipes/read';
import type { Recipe } from '../../../src/recipes/recipe';
import { StepTimes } from '../../../src/recipes/times';
import type { Expected, FinishedStep, PlannedStep } from '../../../src/recipes/types';
import { architectureOf } from '../../support/checkpoint-files';
import { temporaryFolder } from '../../support/temporary';

const model = resolve(import.meta.dirname, '../../../media/sample');
const text = join(model, 'evaluation.txt');
const calibration = join(model, 'calibration.txt');

/** SmolLM2-135M-Instruct. */
const SMOL = {
  ...{ hidden_size: 576, intermediate_size: 1536, num_hidden_layers: 30, num_attention_heads: 9 },
  ...{ num_key_value_heads: 3, vocab_size: 49152, tie_word_embeddings: true },
};

type Steps = Record<string, { job: string; options?: Record<string, unknown> }>;

function recipeOf(steps: Steps): Recipe {
  const { recipe, problems } = parseRecipe(JSON.stringify({ coppice: 1, model, steps }), '/nowhere/r.coppice.json');
  assert.deepEqual(problems, []);
  return recipe!;
}

/** Seconds of the named step of a recipe that has run nothing yet. */
async function expectedOf(
  steps: Steps,
  name: string,
  speeds = MachineSpeeds.none(2),
  before?: FinishedStep,
): Promise<Expected | undefined> {
  const recipe = recipeOf(steps);
  const step = recipe.steps.find((each) => each.name === name)!;
  const planned: PlannedStep = { step, state: 'run', ...(before && { before }) };
  return stepEstimator({ recipe, model, variables: recipe.variables }, speeds)(planned);
}

const secondsOf = async (job: string, options: Record<string, unknown>): Promise<number> =>
  (await expectedOf({ it: { job, options } }, 'it'))!.seconds;

const finishedOf = (job: FinishedStep['job'], options: FinishedStep['options'], seconds: number): FinishedStep => ({
  ...{
    name: 'it',
    job,
    options,
    seconds,
    key: '',
    run: '',
    outputs: [],
    result: '',
    resultSha256: '',
    record: null,
    device: 'cpu',
  },
  ...{ notes: [], warnings: [], coppice: '1.0.0', started: '2026-01-01T00:00:00.000Z' },
});

describe('recipes: estimates', () => {
  const MORE: readonly (readonly [string, Record<string, unknown>, Record<string, unknown>])[] = [
    ['score', { calibration, samples: 2 }, { samples: 8 }],
    ['score', { criterion: 'greedy', calibration, count: 1 }, { count: 4 }],
    ['score', { criterion: 'search', calibration, count: 2, budget: 5 }, { budget: 500 }],
    ['curve', { calibration, most: 1 }, { most: 4 }],
    ['prune', { criterion: 'ppl', calibration, count: 2 }, { heal: true, data: ['self'] }],
    ['prune', { criterion: 'ppl', calibration, count: 2 }, { rounds: 2 }],
    ['width', { method: 'wanda-sp', ratio: 0.2, calibration, samples: 4 }, { samples: 32 }],
    ['heal', { remove: [4, 5], data: ['self'], tokens: 512 }, { tokens: 4096 }],
    ['retrain', { data: [calibration], steps: 2, batch: 4 }, { steps: 20 }],
    ['retrain', { data: [calibration], steps: 2, batch: 4 }, { teacher: model }],
    ['iterate', { calibration, count: 1, steps: 2 }, { count: 3 }],
    ['iterate', { calibration, count: 2, method: 'none' }, { method: 'refit' }],
    ['eval', { text, limit: 2 }, { limit: 8 }],
    ['eval', { text, limit: 2 }, { against: model }],
    ['eval', { calibration, samples: 2 }, { repetition: 4 }],
    ['tasks', { own: [join(model, 'stories.coppice-tasks.json')] }, { checkpoints: [model, model] }],
    ['generate', { prompt: 'Once', maxNewTokens: 8 }, { maxNewTokens: 80 }],
    ['bench', { newTokens: 8 }, { newTokens: 80 }],
    ['grid', { batch: [1], newTokens: [8] }, { batch: [1, 8] }],
    ['versus', { calibration, counts: [1], speed: false }, { counts: [1, 2] }],
    ['export', { format: 'safetensors', out: 'o', verify: false }, { verify: true }],
    ['export', { format: 'safetensors', out: 'o' }, { text, limit: 2 }],
  ];

  for (const [job, options, more] of MORE) {
    it(`${job} takes longer with ${Object.keys(more).join()}`, async () => {
      const [less, longer] = [await secondsOf(job, options), await secondsOf(job, { ...options, ...more })];
      assert.ok(less > 0 && longer > less, `${less} and ${longer}`);
    });
  }

  it('a step on a model that is not there yet takes less time the more blocks that model loses', async () => {
    const after = async (count: number): Promise<number> => {
      const steps: Steps = {
        scores: { job: 'score', options: { calibration } },
        pruned: { job: 'prune', options: { scores: '${steps.scores}', count } },
        healed: { job: 'heal', options: { remove: '${steps.pruned.removed}', data: ['self'] } },
        quality: { job: 'eval', options: { checkpoint: '${steps.healed}', text } },
      };
      return (await expectedOf(steps, 'quality'))!.seconds;
    };
    assert.ok((await after(1)) > (await after(5)));
  });

  it('is not made where a text is missing, a model is missing, or nothing says how many tasks there are', async () => {
    assert.equal(await expectedOf({ it: { job: 'eval', options: { text: 'no.txt' } } }, 'it'), undefined);
    assert.equal(await expectedOf({ it: { job: 'bench', options: { checkpoint: 'no' } } }, 'it'), undefined);
    assert.equal(await expectedOf({ it: { job: 'tasks', options: { data: 'no' } } }, 'it'), undefined);
  });

  it('is the time of before, scaled by the work, and of before alone where the work is not known', async () => {
    const before = finishedOf('eval', { checkpoint: model, text, limit: 2 }, 60);
    const with2 = await expectedOf({ it: { job: 'eval', options: { text, limit: 2 } } }, 'it', undefined, before);
    assert.deepEqual(with2, { seconds: 60, from: 'before' });
    const with4 = await expectedOf({ it: { job: 'eval', options: { text, limit: 4 } } }, 'it', undefined, before);
    assert.equal(with4?.from, 'before');
    assert.ok(with4.seconds > 60 && with4.seconds < 120, String(with4.seconds));
    const lost = finishedOf('eval', { checkpoint: 'gone', text: 'gone.txt' }, 42);
    const known = await expectedOf({ it: { job: 'eval', options: { text: 'gone.txt' } } }, 'it', undefined, lost);
    assert.deepEqual(known, { seconds: 42, from: 'before' });
  });

  it('learns from a step, keeps that in a file, and is a guess without it', async () => {
    const folder = temporaryFolder();
    const steps: Steps = { it: { job: 'eval', options: { calibration, samples: 64 } } };
    const recipe = recipeOf(steps);
    const speeds = await MachineSpeeds.open(folder, 2);
    assert.equal((await expectedOf(steps, 'it', speeds))?.from, 'guess');
    const ran = finishedOf('eval', { checkpoint: model, calibration, samples: 64 }, 600);
    await learnStep({ recipe, model, variables: {} }, speeds, ran);
    await speeds.save();
    const again = await expectedOf(steps, 'it', await MachineSpeeds.open(folder, 2));
    assert.equal(again?.from, 'speed');
    assert.ok(Math.abs(again.seconds - 600) < 6, String(again.seconds));
  });

  it('a file of speeds that is damaged, too large or hostile counts as empty', async () => {
    for (const kept of ['{', '[1]', ' '.repeat(70_000), '{"speeds":[{"flops":-1}],"files":-5,"decode":"fast"}']) {
      const folder = temporaryFolder();
      writeFileSync(join(folder, 'speeds.json'), kept);
      const speeds = await MachineSpeeds.open(folder, 2);
      const part = { kind: 'files', bytes: 200e6 } as const;
      assert.deepEqual(speeds.estimate(part), { seconds: 1, measured: false }, kept.slice(0, 60));
      speeds.learn(part, 4, 'cpu');
      await speeds.save();
      assert.equal((await MachineSpeeds.open(folder, 2)).estimate(part).seconds, 4);
    }
  });

  it('of an export is mostly that of comparing weights, from which it learns, and not how fast texts are written', () => {
    const smol = architectureOf(SMOL);
    const speeds = MachineSpeeds.none(2);
    const longest = (): Part => {
      const parts = comparing({ model: { architecture: smol, bytes: 270e6 }, removed: [] });
      return parts.reduce((most, part) =>
        speeds.estimate(part).seconds > speeds.estimate(most).seconds ? part : most,
      );
    };
    assert.equal(longest().kind, 'compared');
    speeds.learn({ kind: 'decode', bytes: 34e9, perToken: 538e6 }, 2, 'cpu');
    speeds.learn(longest(), 30, 'cpu');
    assert.equal(Math.round(speeds.estimate(longest()).seconds), 30);
  });

  it('of a checkpoint of quantised weights reckon with 32 bits, and of their export with what they have', () => {
    const bytesOf = (bytes: number, of: typeof writing): number => {
      const part = of({ model: { architecture: architectureOf(SMOL), bytes }, removed: [] });
      return 'bytes' in part ? part.bytes : 0;
    };
    assert.ok(bytesOf(90e6, writing) > 1e9);
    assert.equal(bytesOf(90e6, exported), 180e6);
    assert.equal(bytesOf(270e6, writing), 540e6);
  });

  it('of a short training count its evaluations, and the unpruned model beside it', async () => {
    const steps = { data: ['evaluation.txt'].map(() => text), remove: [4, 5], batch: 4, length: 32, out: 'a' };
    const training = await secondsOf('retrain', { ...steps, steps: 4, heldOut: 1 });
    const evaluating = await secondsOf('retrain', { ...steps, steps: 4, heldOut: 64 });
    assert.ok(evaluating > 1.5 * training, `${evaluating} beside ${training}`);
  });

  it('writes no file where nothing was learned', async () => {
    const folder = temporaryFolder();
    const speeds = await MachineSpeeds.open(folder, 2);
    speeds.learn({ kind: 'files', bytes: 10 }, 0.01, 'cpu'); // too short to tell anything
    await speeds.save();
    assert.ok(!existsSync(join(folder, 'speeds.json')));
  });

  it('learns nothing of reading weights from models that a cache holds, nor of files from small ones', () => {
    const speeds = MachineSpeeds.none(2);
    const decode = { kind: 'decode', bytes: 800e6, perToken: 80e6 } as const;
    const files = { kind: 'files', bytes: 200e6 } as const;
    speeds.learn({ ...decode, perToken: 1e6 }, 100, 'cpu');
    speeds.learn({ ...files, bytes: 1e6 }, 5, 'cpu');
    assert.deepEqual(
      [decode, files].map((part) => speeds.estimate(part).measured),
      [false, false],
    );
    speeds.learn(decode, 10, 'cpu');
    assert.deepEqual(speeds.estimate(decode), { seconds: 10, measured: true });
  });

  it('of a quick run are those of its values, also after a toy of a thousandth of the size has run', async () => {
    const speeds = MachineSpeeds.none(2);
    const large = { kind: 'products', work: 'ppl', size: 9.4e8, flops: 400e9 } as const;
    const before = speeds.estimate(large).seconds;
    for (const work of ['ppl', 'evaluate', 'write'] as const) {
      speeds.learn({ kind: 'products', work, size: 1.5e7, flops: 1e9 }, 1, 'cpu');
    }
    assert.equal(speeds.estimate(large).seconds, before);
    const { variables, quick, ...recipe } = recipeOf({ it: { job: 'eval', options: { calibration, samples: 4 } } });
    assert.deepEqual([variables, quick], [{}, {}]);
    const values = { variables: { samples: 64 }, quick: { samples: 2 } };
    const steps = [{ ...recipe.steps[0], options: { calibration, samples: '${samples}' } }];
    const sums = await Promise.all(
      [false, true].map(async (isQuick) => {
        const request = { recipe: { ...recipe, ...values, steps }, quick: isQuick, folder: temporaryFolder() };
        return (await planRecipe(request, (await StepTimes.open(request, temporaryFolder())).estimate)).expectedSeconds;
      }),
    );
    assert.ok(sums[1] < sums[0] / 2, sums.join());
  });

  it('learn decoding from texts and speeds in float32, of models that a cache does not hold', async () => {
    const architectures: Record<string, Architecture> = {
      smol: architectureOf(SMOL),
      tiny: architectureOf(),
    };
    const learned = async (spec: JobSpec, result: unknown): Promise<number[]> => {
      const parts = await decodedInSecond(spec, { result } as JobOutcome, (path) =>
        Promise.resolve(architectures[path]),
      );
      return parts.map((part) => (part.kind === 'decode' ? part.bytes : NaN));
    };
    const text: JobSpec = { kind: 'generate', checkpoint: 'smol', prompt: 'A' };
    const wrote = { ids: [1, 2], removed: [], precision: 'float32', decodeTokensPerSecond: 10 };
    assert.deepEqual(await learned(text, wrote), [10 * 4 * 134_515_008]);
    // A block of SmolLM2 has 3 540 096 parameters.
    assert.deepEqual(await learned(text, { ...wrote, removed: [4, 5] }), [10 * 4 * (134_515_008 - 2 * 3_540_096)]);
    for (const [of, nothing] of [
      [text, { ...wrote, precision: 'int8' }],
      [text, { ...wrote, removed: [4, 'mlp.7'] }],
      [text, { ...wrote, decodeTokensPerSecond: 'NaN' }],
      [{ ...text, checkpoint: 'tiny' }, wrote],
      [{ ...text, checkpoint: 'not known' }, wrote],
      [{ kind: 'eval', checkpoint: 'smol' }, wrote],
    ] as const)
      assert.deepEqual(await learned(of, nothing), [], JSON.stringify(nothing));
    const columns = ['tiny', 'smol'].map((checkpoint) => ({ label: checkpoint, checkpoint }));
    const models = [{ removed: [] }, { removed: [], decodeTokensPerSecond: 7 }];
    const measured = await learned({ kind: 'speeds', columns }, { models, precision: 'float32' });
    assert.deepEqual(measured, [7 * 4 * 134_515_008]);
  });
});
