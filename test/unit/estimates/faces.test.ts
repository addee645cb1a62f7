/** Recipes, the editor, agents and clusters tell the same time and memory for the same job, of every kind. */
import assert from 'node:assert/strict';
import { totalmem } from 'node:os';
import { join, resolve } from 'node:path';
import { expectedTime } from '../../../src/agents/confirm';
import { estimateParts } from '../../../src/cluster/estimate';
import { openCheckpoint } from '../../../src/engine/checkpoint/open';
import type { Checkpoint } from '../../../src/engine/checkpoint/types';
import { MachineSpeeds } from '../../../src/estimates/machine';
import { memoryOf } from '../../../src/estimates/memory';
import { openModels } from '../../../src/estimates/models';
import type { JsonObject } from '../../../src/format/json';
import { jobMemory, jobTime, type PlannedJob } from '../../../src/host/ask/job-time';
import { completeOptions } from '../../../src/jobs/complete';
import { JOBS } from '../../../src/jobs/definitions';
import type { Kind } from '../../../src/jobs/kinds';
import { isCutKind } from '../../../src/jobs/parts/part-record';
import { stepEstimator } from '../../../src/recipes/estimate';

const model = resolve(import.meta.dirname, '../../../media/sample');
const calibration = join(model, 'calibration.txt');
const own = [join(model, 'stories.coppice-tasks.json')];
const columns = [
  { label: 'whole', checkpoint: model },
  { label: 'shorter', checkpoint: model, remove: [4, 5] },
];

const OPTIONS: Readonly<Record<Kind, JsonObject>> = {
  score: { checkpoint: model, calibration, criterion: 'kl' },
  curve: { checkpoint: model, calibration, most: 3 },
  prune: { checkpoint: model, calibration, criterion: 'ppl', count: 3, heal: true, out: 'o' },
  heal: { checkpoint: model, remove: [4, 5], data: ['self'], out: 'o' },
  iterate: { checkpoint: model, calibration, count: 3, steps: 4, oneShot: true, out: 'o' },
  retrain: { checkpoint: model, data: [calibration], remove: [4], teacher: model, steps: 20, out: 'o' },
  width: { checkpoint: model, calibration, method: 'flap', ratio: 0.2, out: 'o' },
  experts: { checkpoint: model, calibration, out: 'o' },
  vocabulary: { checkpoint: model, texts: [calibration], out: 'o' },
  eval: { checkpoint: model, text: join(model, 'evaluation.txt'), limit: 16, repetition: 4 },
  tasks: { checkpoints: [model, model], own },
  draft: { checkpoint: model, for: 'genai', prompts: calibration },
  generate: { checkpoint: model, prompt: 'Once', maxNewTokens: 50 },
  samples: { columns, prompts: ['Once', 'The'], maxNewTokens: 50 },
  bench: { checkpoint: model, newTokens: 20 },
  speeds: { columns },
  grid: { columns, batch: [1, 8], newTokens: [32] },
  versus: { checkpoint: model, calibration, counts: [2], own },
  frontier: { checkpoint: model, calibration, text: calibration, limit: 2, fit: 2_000_000 },
  merge: { checkpoint: model, adapter: 'a', out: 'o' },
  export: { checkpoint: model, type: ['q4_0'], imatrix: 'auto', calibration, out: 'o.gguf' },
  verify: { output: model },
};

describe('the time and the memory of a job', () => {
  const speeds = MachineSpeeds.none(2);
  let checkpoint: Checkpoint;
  before(async () => {
    checkpoint = await openCheckpoint(model);
    speeds.learn({ kind: 'products', work: 'evaluate', size: 6e7, flops: 1e12 }, 100, 'cpu');
    speeds.learn({ kind: 'files', bytes: 1e9 }, 10, 'cpu');
  });

  for (const kind of Object.keys(JOBS) as Kind[]) {
    it(`${kind} are the same in every face`, async () => {
      const given = OPTIONS[kind];
      const agent = await expectedTime({ kind, options: given }, { speeds });
      assert.ok(agent && agent.seconds > 0);
      const editor = { library: { peek: () => undefined }, speeds, sidecar: {}, config: { compute: {} } };
      const job = { kind, ...given } as unknown as PlannedJob;
      assert.deepEqual(jobTime(editor, { path: model, checkpoint }, job), agent, 'editor');
      const step = { name: 'it', job: kind, options: given, limits: {} };
      const recipe = {
        file: '/r.coppice.json',
        name: 'r',
        variables: {},
        quick: {},
        steps: [],
        limits: {},
        tables: [],
      };
      const estimate = stepEstimator({ recipe, variables: {} }, speeds);
      const planned = await estimate({ step: step as never, state: 'run', options: given });
      const { memoryBytes, ...time } = planned!;
      assert.deepEqual(time, { seconds: agent.seconds, from: agent.measured ? 'speed' : 'guess' }, 'recipe');
      const machine = { total: totalmem(), free: 8e9 };
      const bytes = memoryOf({ kind, options: given }, await openModels(given), machine)!;
      assert.ok(bytes > 1e8 && bytes < 1e9, `${kind} takes ${bytes}`);
      for (const told of [memoryBytes!, jobMemory(editor, { path: model, checkpoint }, job)!])
        assert.ok(Math.abs(told / bytes - 1) < 0.5, `${told} and ${bytes}`); // by what is free at the moment
      if (!isCutKind(kind)) return;
      const options = completeOptions(JOBS[kind], given);
      const part = await estimateParts(kind, options, 1, { threads: speeds.threads, speeds });
      assert.ok(Math.abs(part!.seconds - agent.seconds) < 1e-9 * agent.seconds, `cluster: ${part?.seconds}`);
      assert.ok(part!.memoryBytes <= memoryBytes!, 'cluster'); // a part neither chooses nor writes texts
    });
  }

  const MORE: readonly (readonly [Kind, JsonObject])[] = [
    ['score', { criterion: 'ppl', samples: 500 }],
    ['experts', { rescale: true, samples: 200 }],
    ['score', { criterion: 'taylor', samples: 40, length: 256 }],
    ['versus', { counts: [2, 3] }],
    ['curve', { samples: 4000 }],
    ['heal', { tokens: 400_000 }],
    ['retrain', { full: true }],
    ['iterate', { method: 'full' }],
    ['grid', { batch: [64], newTokens: [200] }],
    ['samples', { columns: [...columns, ...columns] }],
    ['samples', { draft: 'int4' }],
    ['generate', { draft: '1', draftPrecision: 'float32' }],
  ];
  for (const [kind, more] of MORE) {
    it(`${kind} takes more memory with ${Object.keys(more).join()}`, async () => {
      const options = OPTIONS[kind];
      const bytes = async (given: JsonObject): Promise<number> =>
        memoryOf({ kind, options: given }, await openModels(given), { total: 16e9, free: 8e9 })!;
      assert.ok((await bytes({ ...options, ...more })) > (await bytes(options)));
    });
  }
});
