/** Estimates of a recipe's steps for one run. */
import { dirname, resolve } from 'node:path';
import type { MachineSpeeds } from '../estimates/machine';
import { stepEstimator } from './estimate';
import type { RecipeRequest, StepEstimate } from './plan';
import type { Variables } from './recipe';
import { substitute } from './references';
import type { Around } from './step-models';

export const estimatesOf = (request: RecipeRequest, speeds: MachineSpeeds): StepEstimate =>
  stepEstimator(aroundOf(request), speeds);

/** The recipe with the values of a run. */
export function aroundOf({ recipe, model, set, quick }: RecipeRequest): Around {
  const variables: Variables = { ...recipe.variables, ...(quick && recipe.quick), ...set };
  if (model !== undefined) return { recipe, variables, model: resolve(model) };
  const named = substitute(recipe.model ?? '', (each) =>
    each.kind === 'variable' ? (variables[each.name] ?? '') : '',
  );
  const found = typeof named === 'string' && named !== '' ? resolve(dirname(recipe.file), named) : undefined;
  return { recipe, variables, ...(found !== undefined && { model: found }) };
}
