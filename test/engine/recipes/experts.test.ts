/** A recipe that drops experts, removes a block, writes GGUF, and measures before and after: text, questions and probes. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openCheckpoint, requireArchitecture } from '../../../src/engine/checkpoint/open';
import { expertsIn } from '../../../src/engine/checkpoint/kinds/parts';
import { inThisProcess } from '../../../src/jobs/run-spec';
import type { EvaluateResult } from '../../../src/jobs/results/eval';
import type { ExpertsResult } from '../../../src/jobs/results/experts';
import type { TasksComparison } from '../../../src/jobs/results/tasks';
import { readRecipe } from '../../../src/recipes/read';
import { runRecipe } from '../../../src/recipes/run';
import { expertToy } from '../../support/expert-toys';
import { itFull } from '../../support/shared';
import { temporaryFolder } from '../../support/temporary';

const LINE = 'Once upon a time a bird saw the red sun and sat on a ball of the cat. ';

describe('a recipe of experts and blocks', function () {
  this.timeout(60_000);

  itFull('makes one smaller model, and says what it costs in text, questions and probes', async () => {
    const folder = temporaryFolder();
    for (const name of ['app.txt', 'test.txt']) writeFileSync(join(folder, name), LINE.repeat(40));
    const items = ['flew', 'sat', 'ate'].map((verb) => ({
      ...{ context: `A bird ${verb}`, choices: [' and sang', ' in the red sun'], answer: 0 },
    }));
    writeFileSync(join(folder, 'own.json'), JSON.stringify({ name: 'own', items }));
    const rows = { samples: 4, length: 48 };
    const text = { text: 'test.txt', window: 48, limit: 2 };
    const steps = {
      fewer: { job: 'experts', options: { calibration: 'app.txt', ...rows, keep: 3, out: './fewer' } },
      shorter: {
        job: 'prune',
        options: {
          checkpoint: '${steps.fewer}',
          criterion: 'ppl',
          calibration: 'app.txt',
          ...rows,
          count: 1,
          keepEnds: false,
          out: './shorter',
        },
      },
      file: {
        job: 'export',
        options: { checkpoint: '${steps.shorter}', format: 'gguf', type: ['q8_0'], out: './it.gguf' },
      },
      before: { job: 'eval', options: text },
      after: { job: 'eval', options: { checkpoint: '${steps.file}', against: '${model}', ...text } },
      answers: {
        job: 'tasks',
        options: { checkpoints: ['${model}', '${steps.shorter}'], own: ['own.json'], probes: ['copy'], limit: 3 },
      },
    };
    const file = join(folder, 'experts.coppice.json');
    const model = expertToy({ num_local_experts: 4, num_hidden_layers: 3, max_position_embeddings: 512 });
    writeFileSync(file, JSON.stringify({ coppice: 1, model, steps }));
    const { end, error } = await runRecipe(
      { recipe: await readRecipe(file) },
      inThisProcess({ device: 'cpu', threads: 1 }),
    );
    assert.equal(error, undefined);
    assert.equal(end.ended, 'done');
    const resultOf = (name: string): unknown => end.steps.find((step) => step.name === name)?.result;
    const fewer = resultOf('fewer') as ExpertsResult;
    const { layers } = requireArchitecture(await openCheckpoint(join(folder, 'it.gguf')));
    assert.deepEqual(
      layers.map((layer) => expertsIn(layer)?.count),
      [3, 3],
    );
    const [before, after] = ['before', 'after'].map((name) => resultOf(name) as EvaluateResult);
    assert.ok(Number(fewer.after!.kl) > 0 && Number(after.kl) > Number(fewer.after!.kl));
    assert.notEqual(after.meanNll, before.meanNll);
    const { models } = resultOf('answers') as TasksComparison;
    for (const { tasks, probes } of models) assert.deepEqual([tasks.length, Object.keys(probes!)], [1, ['copy']]);
  });
});
