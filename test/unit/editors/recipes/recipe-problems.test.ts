/** Problems of a recipe stand at their places, and those of a run go when the step changes. */
import assert from 'node:assert/strict';
import { recipeProblems } from '../../../../src/editors/recipes/recipe-problems';
import { verdictsOf, brokenNames } from '../../../../src/editors/recipes/verdicts';
import { parseRecipe } from '../../../../src/recipes/read';
import type { RecipeEnd, RecipePlan } from '../../../../src/recipes/types';
import { finished } from './finished-step';

const FILE = '/recipes/small.coppice.json';

const recipeText = ({ count = '2', window = '64', limit = '40', most = '' } = {}): string => `{
  // a comment
  "coppice": 1,
  "model": "model",
  "variables": { "window": ${window}, "most": 12 },
  "steps": {
    "scores": { "job": "score", "options": { "criterion": "magnitude" } },
    "pruned": { "job": "prune", "options": { "scores": "\${steps.scores}", "count": ${count} } },
    "quality": {
      "job": "eval",
      "options": { "checkpoint": "\${steps.pruned}", "text": "a.txt", "window": "\${window}" },
      "limits": { "maxPpl": ${limit} }
    }
  }${most}
}`;

const problems = (text: string, end?: RecipeEnd, plan?: RecipePlan) =>
  recipeProblems(text, parseRecipe(text, FILE), end, plan && verdictsOf(plan, RESULTS)).map(
    ({ offset, length, message, from }) => ({ at: text.slice(offset, offset + length), message, from }),
  );

const RESULTS = new Map([['quality', { ppl: 45.04 }]]);

function planned(text: string, state: 'done' | 'run' = 'done'): RecipePlan {
  const { recipe } = parseRecipe(text, FILE);
  assert.ok(recipe);
  const steps = recipe.steps.map((step) => ({ step, state, before: finished(step.name, 'eval') }));
  return { recipe, folder: '/f', variables: {}, steps, expectedSeconds: 0, unknown: [], withheld: [] };
}

function failed(text: string): RecipeEnd {
  const { recipe } = parseRecipe(text, FILE);
  assert.ok(recipe);
  const failure = { what: 'it broke', why: 'the disk is full', action: 'Free some space.' };
  const steps = recipe.steps.map(({ name, job }) => ({
    ...{ name, job, state: 'open' as const },
    ...(name === 'quality' && { state: 'failed' as const, failure }),
  }));
  const numbers = { ran: 2, seconds: 1, started: '', coppice: '1', quick: false, variables: {} };
  return { recipe, folder: '/f', steps, limits: [], ended: 'failed', ...numbers };
}

describe('problems of a recipe', () => {
  it('stand where the mistake is', () => {
    const [found, ...more] = problems(recipeText().replace('"criterion"', '"criterium"'));
    assert.equal(found.at, '"criterium"');
    assert.match(found.message, /^A step of score has no option “criterium”: its options are .*\. Leave it out\.$/);
    assert.equal(found.from, 'file');
    assert.deepEqual(more, []);
    assert.deepEqual(problems(recipeText()), []);
    const noStep = problems(recipeText().replace('${steps.scores}', '${steps.score}'));
    assert.deepEqual(
      noStep.map(({ at }) => at),
      ['"${steps.score}"'],
    );
    const noObject = problems(recipeText().replace(/\{ "job": "score".*\}/, '3'));
    assert.equal(noObject[0].at, '"scores"');
  });

  it('of a step that failed stand at its name, until it or a variable of it changes', () => {
    const end = failed(recipeText());
    const message = 'It broke: the disk is full. Free some space.';
    assert.deepEqual(problems(recipeText(), end), [{ at: '"quality"', message, from: 'run' }]);
    assert.equal(problems(recipeText({ count: '3' }), end).length, 1, 'another step changed');
    assert.deepEqual(problems(recipeText({ window: '32' }), end), []);
    assert.deepEqual(problems(recipeText().replace('a.txt', 'b.txt'), end), []);
  });

  it('of a limit stand at its value, and go with the limit or with the result', () => {
    const text = recipeText();
    const [found] = problems(text, undefined, planned(text));
    assert.equal(found.at, '40');
    assert.match(found.message, /“quality” breaks the limit maxPpl: perplexity 45.04, at most 40\./);
    const generous = recipeText({ limit: '50' });
    assert.deepEqual(problems(generous, undefined, planned(generous)), []);
    assert.deepEqual(problems(text, undefined, planned(text, 'run')), [], 'the step runs again');
  });

  it('of a limit of the whole recipe stand there, with the value of its variable', () => {
    const text = recipeText({ limit: '50', most: ', "limits": { "maxPpl": "${most}" }' });
    const plan = planned(text);
    assert.deepEqual(
      problems(text, undefined, plan).map(({ at, from }) => [at, from]),
      [['"${most}"', 'limit']],
    );
    assert.equal(brokenNames(verdictsOf(plan, RESULTS), 'quality'), 'breaks maxPpl');
    assert.equal(brokenNames(verdictsOf(plan, RESULTS), 'pruned'), undefined);
  });
});
