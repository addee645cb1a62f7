/** Steps that cannot heal their model are refused at their place in the file, before the first step runs. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inThisProcess } from '../../../src/jobs/run-spec';
import { planRecipe } from '../../../src/recipes/plan';
import { readRecipe } from '../../../src/recipes/read';
import { runRecipe } from '../../../src/recipes/run';
import { temporaryFolder } from '../../support/temporary';
import { type TinyName, tinyCheckpoint } from '../../support/tiny-models';

function recipe(model: TinyName, job: string, options: readonly string[]): string {
  const file = join(temporaryFolder(), 'it.coppice.json');
  const text = [
    '{',
    `  "coppice": 1, "model": ${JSON.stringify(tinyCheckpoint(model, { tokenizer: true }))},`,
    '  "steps": {',
    '    "chosen": { "job": "prune", "options": { "criterion": "magnitude", "count": 1, "keepEnds": false, "dryRun": true } },',
    '    "short": {',
    `      "job": "${job}",`,
    '      "options": {',
    ...options.map((line, at) => `        ${line}${at + 1 < options.length ? ',' : ''}`),
    '      }',
    '    }',
    '  }',
    '}',
  ];
  writeFileSync(file, text.join('\n'));
  return file;
}

const HEAL = ['"remove": "${steps.chosen.removed}"', '"method": "fold"'];

describe('steps of a recipe that heal', () => {
  for (const [job, options, line] of [
    ['heal', HEAL, 9],
    ['prune', ['"blocks": "${steps.chosen.removed}"', '"heal": true', '"method": "fold"'], 10],
    ['iterate', ['"criterion": "magnitude"', '"count": 1', '"calibration": "text.txt"', '"method": "fold"'], 11],
  ] as const) {
    it(`${job}: is refused by its line for a family that the method cannot heal`, async () => {
      const file = recipe('gemma3-pattern', job, options);
      const request = { recipe: await readRecipe(file) };
      const refused = {
        name: 'UserError',
        what: `it.coppice.json, line ${line}: step “short”: Cannot heal gemma3_text by a fold`,
      };
      await assert.rejects(planRecipe(request), refused);
      await assert.rejects(runRecipe(request, inThisProcess({ device: 'cpu', threads: 1 })), refused);
      const state = join(file, '..', '.coppice', 'it');
      assert.ok(!existsSync(state) || !readdirSync(state).includes('chosen'), 'the first step has not run');
    });
  }

  it('are planned for one that it can heal', async () => {
    const plan = await planRecipe({ recipe: await readRecipe(recipe('llama-gqa-tied', 'heal', HEAL)) });
    assert.deepEqual(
      plan.steps.map(({ state }) => state),
      ['run', 'run'],
    );
  });
});
