/** Refuses steps that would write a model by a choice of single modules, before this is computed. */
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

/** The fault of a step that takes the whole blocks of a choice that has single modules too. */
export function halfChoiceFaults({ steps }: Recipe, { name, options }: RecipeStep): StepFault[] {
  return Object.entries(options).flatMap(([option, value]): StepFault[] => {
    const found = referencesIn(value).find(
      (each) =>
        each.kind === 'step' &&
        each.fields[0] === 'removed' &&
        isPlanOfModules(steps.find((one) => one.name === each.step)),
    );
    if (found?.kind !== 'step') return [];
    return [
      {
        path: ['steps', name, 'options', option],
        what: `The step “${name}” cannot take the blocks of “${found.step}” alone`,
        why: `“${found.step}” chooses among attention and FFN, and “removed” has only whole blocks`,
        action: `Give \${steps.${found.step}.leftOut} to “remove” of eval, generate, bench or heal; or leave “granularity” out there.`,
      },
    ];
  });
}

const isPlanOfModules = (step: RecipeStep | undefined): boolean =>
  step?.job === 'prune' && step.options.granularity === 'module';
