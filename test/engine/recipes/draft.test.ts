/** A recipe that forecasts drafts: the step says in its line what came of it, and the pair is its output. */
import assert from 'node:assert/strict';
import { existsSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { inThisProcess } from '../../../src/jobs/run-spec';
import { LimitError } from '../../../src/engine/errors';
import { readRecipe } from '../../../src/recipes/read';
import { runRecipe } from '../../../src/recipes/run';
import { resultWords } from '../../../src/recipes/words';
import { temporaryFolder } from '../../support/temporary';

const SAMPLE = resolve(import.meta.dirname, '../../../media/sample');

describe('a recipe with a draft', function () {
  this.timeout(120_000);

  const folder = temporaryFolder();
  /** @param c time of a pass of the draft over that of the model's */
  async function ran(c: number, options: object = {}) {
    writeFileSync(join(folder, 'prompts.txt'), 'Once upon a time\nThe little dog\nTom and Lily went\n');
    writeFileSync(join(folder, 'costs.json'), JSON.stringify({ rows: [1, 16], v: [1, 1.2], c }));
    const given = { for: 'genai', prompts: '${prompts}', costs: 'costs.json', maxNewTokens: 8, heldOut: 1 };
    const steps = { forecast: { job: 'draft', options: { ...given, ...options } } };
    const file = join(folder, 'fast.coppice.json');
    writeFileSync(file, JSON.stringify({ coppice: 1, model: SAMPLE, variables: { prompts: 'prompts.txt' }, steps }));
    const { end, error } = await runRecipe(
      { recipe: await readRecipe(file) },
      inThisProcess({ device: 'cpu', threads: 1 }),
    );
    if (error !== undefined) throw error as Error;
    assert.equal(end.ended, 'done');
    const [{ finished, result }] = end.steps;
    return { words: resultWords(finished!, result!), outputs: finished!.outputs.map(({ path }) => path) };
  }

  it('says how fast it would be, or that none pays', async () => {
    assert.match((await ran(0.1)).words, /^[\d.]+ × as fast$/);
    assert.match((await ran(0.95)).words, /^no draft pays/);
  });

  it('fails where a pair is to be written and does not pay: the steps behind it need it', async () => {
    await assert.rejects(ran(0.95, { out: './slow' }), (error: unknown) => {
      assert.ok(error instanceof LimitError);
      assert.match(error.message, /It wrote nothing: No draft pays here/);
      return true;
    });
    assert.equal(existsSync(join(folder, 'slow')), false);
  });

  it('writes the pair where it pays', async () => {
    const { outputs } = await ran(0.1, { out: './pair' });
    assert.deepEqual(outputs, [join(folder, 'pair')]);
    assert.ok(existsSync(join(folder, 'pair/coppice-pair.json')));
  });
});
