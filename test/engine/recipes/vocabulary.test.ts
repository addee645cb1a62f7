/** A recipe that trims the vocabulary, removes and heals blocks, and writes Q8_0: what ships, and how the answer compares it. */
import assert from 'node:assert/strict';
import { copyFileSync, statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { openCheckpoint } from '../../../src/engine/checkpoint/open';
import { inThisProcess } from '../../../src/jobs/run-spec';
import { readRecipe } from '../../../src/recipes/read';
import { answerOf } from '../../../src/recipes/report/answer';
import { runRecipe } from '../../../src/recipes/run';
import { temporaryFolder } from '../../support/temporary';

const SAMPLE = resolve(import.meta.dirname, '../../../media/sample');

describe('a recipe of vocabulary, blocks and bits', function () {
  this.timeout(120_000);

  it('ships one file that is smaller by all three', async () => {
    const folder = temporaryFolder();
    for (const name of ['calibration.txt', 'evaluation.txt']) copyFileSync(join(SAMPLE, name), join(folder, name));
    const steps = {
      trimmed: {
        job: 'vocabulary',
        options: { texts: ['${texts}'], min: 2, maxBitsGrowth: 0.3, maxGrowth: 1.2, limit: 4, out: './trimmed' },
      },
      scores: {
        job: 'score',
        options: { checkpoint: '${steps.trimmed}', criterion: 'ppl', calibration: '${texts}', samples: 2, length: 32 },
      },
      chosen: {
        job: 'prune',
        options: { checkpoint: '${steps.trimmed}', scores: '${steps.scores}', count: 2, dryRun: true },
      },
      healed: {
        job: 'heal',
        options: { checkpoint: '${steps.trimmed}', remove: '${steps.chosen.removed}', data: ['${texts}'], tokens: 512 },
      },
      shipped: {
        job: 'export',
        options: { checkpoint: '${steps.healed}', format: 'gguf', type: ['q8_0'], out: './help.gguf' },
      },
      before: { job: 'eval', options: { text: 'evaluation.txt', limit: 4 } },
      quality: {
        job: 'eval',
        options: { checkpoint: '${steps.shipped}', against: '${steps.trimmed}', text: 'evaluation.txt', limit: 4 },
      },
    };
    const file = join(folder, 'help.coppice.json');
    const variables = { texts: 'calibration.txt' };
    writeFileSync(file, JSON.stringify({ coppice: 1, model: SAMPLE, variables, steps }));
    const { end, error } = await runRecipe(
      { recipe: await readRecipe(file) },
      inThisProcess({ device: 'cpu', threads: 1 }),
    );
    assert.equal(error, undefined);
    assert.equal(end.ended, 'done');
    // Of another vocabulary, bits per byte compare; and the KL divergence is that from the model with the same tokens.
    const labels = answerOf(end)!.rows.map(({ label }) => label);
    assert.ok(
      labels.some((label) => label.startsWith('bits per byte on evaluation.txt')),
      labels.join('; '),
    );
    assert.ok(labels.includes('KL divergence from trimmed'), labels.join('; '));
    const shipped = await openCheckpoint(join(folder, 'help.gguf'));
    assert.deepEqual([shipped.architecture!.vocabulary, shipped.architecture!.layers.length], [1152, 10]);
    assert.ok(statSync(join(folder, 'help.gguf')).size < 0.5 * statSync(join(SAMPLE, 'model.safetensors')).size);
  });

  it('stops where the vocabulary would cost more than its limit', async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'few.txt'), 'Once upon a time.\n');
    copyFileSync(join(SAMPLE, 'evaluation.txt'), join(folder, 'evaluation.txt'));
    const options = { texts: ['few.txt'], heldOut: 'evaluation.txt', limit: 2, out: './trimmed' };
    const steps = {
      trimmed: { job: 'vocabulary', options },
      quality: { job: 'eval', options: { checkpoint: '${steps.trimmed}', text: 'evaluation.txt' } },
    };
    const file = join(folder, 'r.coppice.json');
    writeFileSync(file, JSON.stringify({ coppice: 1, model: SAMPLE, steps }));
    const { error } = await runRecipe({ recipe: await readRecipe(file) }, inThisProcess({ device: 'cpu', threads: 1 }));
    assert.match((error as Error).message, /trimmed.*not written.*bits per byte/);
  });
});
