/** What a run of a recipe would do. Writes nothing. */
import type { JsonObject } from '../../format/json';
import { readResult } from '../../recipes/state';
import type { RecipePlan } from '../../recipes/types';
import { l10n } from '../../l10n';
import { answerText } from '../answer';
import { plannedRecipe, recipeInput } from '../recipes/open';
import { planParts } from '../recipes/pages';
import type { AgentTool } from '../tool';

const NAME = 'coppice_plan_recipe';

export const planRecipeTool: AgentTool = {
  name: NAME,
  title: () => l10n.t('Plan Recipe'),
  description:
    'Reads a recipe (*.coppice.json: the steps from a model to the one that ships) and says what a run would do, without ' +
    'running or writing anything. Returns each step with what it found if it is done, or why it would run and how long ' +
    'that is expected to take; the limits; and what would be written. A recipe that cannot be used is an error with ' +
    'all its problems and their lines: correct them and ask again. Show the plan to the user before coppice_run_recipe.',
  input: recipeInput,
  effect: 'reads',
  async run(input, context) {
    const planned = await plannedRecipe(NAME, input, context);
    return answerText(planParts(planned, await resultsOf(planned.plan)), context.budget);
  },
};

/** Results of the steps that are done. */
async function resultsOf({ steps }: RecipePlan): Promise<Map<string, JsonObject>> {
  const found = new Map<string, JsonObject>();
  for (const { step, state, before } of steps) {
    if (state === 'done' && before) found.set(step.name, await readResult(before));
  }
  return found;
}
