/** The JSON Schema of recipes: what it accepts is what the reader accepts, and the file in `media` is up to date. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { STEP_KINDS } from '../../../src/recipes/outputs';
import { recipeSchema } from '../../../src/recipes/schema';

const validate = new Ajv({
  allErrors: true,
  allowUnionTypes: true,
  keywords: ['enumDescriptions', 'allowTrailingCommas'],
}).compile(recipeSchema());

const isValid = (recipe: object): boolean => validate({ coppice: 1, model: './m', ...recipe });
const withStep = (job: string, options: object): object => ({ steps: { a: { job, options } } });

describe('schema of recipes', () => {
  it('is in media as the registry has it', () => {
    const file = join(import.meta.dirname, '../../../media/coppice-recipe.schema.json');
    assert.deepEqual(
      JSON.parse(readFileSync(file, 'utf8')),
      JSON.parse(JSON.stringify(recipeSchema())),
      'npm run manifest',
    );
  });

  it('accepts values, references and texts of the command line', () => {
    assert.ok(
      isValid(withStep('score', { criterion: 'ppl', calibration: '${text}', samples: '${n}', keepEnds: false })),
    );
    assert.ok(isValid(withStep('prune', { blocks: '4-6,9', out: './out' })));
    assert.ok(isValid(withStep('prune', { blocks: [4, 5] })));
    assert.ok(isValid(withStep('heal', { remove: '${steps.b.removed}', memory: '2GB' })));
    assert.ok(isValid({ ...withStep('eval', { text: 't' }), limits: { maxPpl: 60, maxBytes: '100MB' } }));
  });

  it('refuses what no step has', () => {
    assert.equal(isValid(withStep('score', { critirion: 'ppl' })), false);
    assert.equal(isValid(withStep('score', { criterion: 'best' })), false);
    assert.equal(isValid(withStep('prune', { count: 0 })), false);
    assert.equal(isValid(withStep('samples', {})), false);
    assert.equal(isValid({ steps: {} }), false);
    assert.equal(isValid({ ...withStep('eval', {}), limits: { most: 1 } }), false);
  });

  it('has every job with options of its own', () => {
    for (const job of STEP_KINDS) {
      assert.ok(isValid(withStep(job, {})), job);
      assert.equal(isValid(withStep(job, { noSuchOption: 1 })), false, job);
    }
  });
});
