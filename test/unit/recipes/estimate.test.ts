/** Estimates of steps: the last time scaled, operations by the speed of this machine, and more work never takes less time. */
import assert from 'node:assert/strict';
import { join, resolve } from 'node:path';
import { MachineSpeeds } from '../../../src/estimates/machine';
import { stepEstimator } from '../../../src/recipes/estimate';
import { planRecipe } from '../../../src/recipes/plan';
import { parseRecipe } from '../../../src/recipes/read';
import type { Recipe } from '../../../src/recipes/recipe';
import { estimatesOf } from '../../../src/recipes/times';
import type { Expected, FinishedStep, PlannedStep } from '../../../src/recipes/types';
import { temporaryFolder } from '../../support/temporary';

const model = resolve(import.meta.dirname, '../../../media/sample');
const text = join(model, 'evaluation.txt');
const calibration = join(model, 'calibration.txt');

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
  it('of a choice by module are those of score, also where less than a block goes', async () => {
    const how = { criterion: 'greedy', objective: 'kl', granularity: 'module', calibration, samples: 4 };
    const prune = (amount: object) => secondsOf('prune', { ...how, ...amount, dryRun: true });
    const one = await secondsOf('score', { ...how, count: 1 });
    assert.equal(await prune({ count: 1 }), one);
    assert.equal(await prune({ ratio: 0.01 }), one);
    assert.ok((await prune({ count: 3 })) > one);
  });

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
    ['frontier', { text, calibration, limit: 2, counts: [0, 1], types: ['q8_0'], heal: false }, { heal: true }],
    ['frontier', { text, calibration, limit: 2, counts: [0, 1], types: ['q8_0'] }, { counts: [0, 1, 2] }],
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
    assert.deepEqual([with2?.seconds, with2?.from], [60, 'before']);
    const with4 = await expectedOf({ it: { job: 'eval', options: { text, limit: 4 } } }, 'it', undefined, before);
    assert.equal(with4?.from, 'before');
    assert.ok(with4.seconds > 60 && with4.seconds < 120, String(with4.seconds));
    const lost = finishedOf('eval', { checkpoint: 'gone', text: 'gone.txt' }, 42);
    const known = await expectedOf({ it: { job: 'eval', options: { text: 'gone.txt' } } }, 'it', undefined, lost);
    assert.deepEqual(known, { seconds: 42, from: 'before' });
  });

  it('of a short training count its evaluations, and the unpruned model beside it', async () => {
    const steps = {
      data: ['evaluation.txt'].map(() => text),
      remove: [4, 5],
      heal: 'none',
      batch: 4,
      length: 32,
      out: 'a',
    };
    const training = await secondsOf('retrain', { ...steps, steps: 4, heldOut: 1 });
    const evaluating = await secondsOf('retrain', { ...steps, steps: 4, heldOut: 64 });
    assert.ok(evaluating > 1.5 * training, `${evaluating} beside ${training}`);
  });

  it('of a quick run are those of its values', async () => {
    const { variables, quick, ...recipe } = recipeOf({ it: { job: 'eval', options: { calibration, samples: 4 } } });
    assert.deepEqual([variables, quick], [{}, {}]);
    const values = { variables: { samples: 64 }, quick: { samples: 2 } };
    const steps = [{ ...recipe.steps[0], options: { calibration, samples: '${samples}' } }];
    const sums = await Promise.all(
      [false, true].map(async (isQuick) => {
        const request = { recipe: { ...recipe, ...values, steps }, quick: isQuick, folder: temporaryFolder() };
        return (await planRecipe(request, estimatesOf(request, MachineSpeeds.none(2)))).expectedSeconds;
      }),
    );
    assert.ok(sums[1] < sums[0] / 2, sums.join());
  });
});
