/** Refuses steps that would write a model by scores of single modules, before these are computed. */
import type { StepFault } from './check-steps';
import type { Recipe, RecipeStep } from './recipe';
import { referencesIn } from './references';

/** The fault of a step that chooses blocks by another step's scores of attention and FFN apart. */
export function moduleScoresFaults({ steps }: Recipe, { name, options }: RecipeStep): StepFault[] {
  const from = referencesIn(options.scores).flatMap((each) => (each.kind === 'step' ? [each.step] : []));
  const found = steps.find((each) => from.includes(each.name) && each.options.granularity === 'module');
  if (!found) return [];
  return [
    {
      path: ['steps', name, 'options', 'scores'],
      what: `The step “${name}” cannot choose by “${found.name}”`,
      why: `“${found.name}” chooses among attention and FFN, and a checkpoint without one of them cannot be written`,
      action: `Leave “granularity” out there; or give \${steps.${found.name}.leftOut} to “remove” of eval, generate, bench or heal.`,
    },
  ];
}
