/**
 * Problems of a recipe with their places: what is wrong in the file, and what went wrong when it ran last. Does not use
 * VS Code.
 */
import { findNodeAtLocation, findNodeAtOffset, type Node, parseTree } from 'jsonc-parser';
import { capitalized } from '../../format/words';
import { brokenLimit } from '../../host/recipes/recipe-words';
import { limitValue } from '../../recipes/limits';
import type { ReadRecipe, RecipeProblem } from '../../recipes/read';
import type { Recipe } from '../../recipes/recipe';
import { referencesIn } from '../../recipes/references';
import type { RecipeEnd, LimitCheck } from '../../recipes/types';
import { withValues } from './verdicts';

/** A problem and its place, in UTF-16 units of the text. */
export interface PlacedProblem {
  readonly offset: number;
  readonly length: number;
  /** What, why, and what to do. */
  readonly message: string;
  /** `file`: the recipe cannot run; `run`: a step failed; `limit`: a limit is broken. */
  readonly from: 'file' | 'run' | 'limit';
}

/** @param last the last run of the recipe @param verdicts on what its steps measured */
export function recipeProblems(
  text: string,
  { recipe, problems, places }: ReadRecipe,
  last?: RecipeEnd,
  verdicts: readonly LimitCheck[] = [],
): PlacedProblem[] {
  if (!recipe) {
    const root = parseTree(text);
    return problems.map((problem) => ({ ...placeIn(root, problem), message: sentence(problem), from: 'file' }));
  }
  const failures = places.flatMap(({ name, offset, length }): PlacedProblem[] => {
    const failure = failureIn(recipe, name, last);
    return failure === undefined ? [] : [{ offset, length, message: failure, from: 'run' }];
  });
  const root = parseTree(text);
  const broken = verdicts.filter(({ kept }) => !kept);
  return [
    ...failures,
    ...broken.map((verdict): PlacedProblem => {
      const node = root && findNodeAtLocation(root, limitPath(recipe, verdict));
      return { ...placeOf(node ?? root), message: brokenLimit(verdict), from: 'limit' };
    }),
  ];
}

/** The place of a problem: the name of what it is about, or else the value. */
function placeIn(
  root: Node | undefined,
  { what, why, offset, length }: RecipeProblem,
): Pick<Node, 'offset' | 'length'> {
  const node = root && findNodeAtOffset(root, offset);
  const key = node?.offset === offset && node.length === length ? node.parent?.children?.[0] : undefined;
  const isNamed = typeof key?.value === 'string' && `${what} ${why}`.includes(`“${key.value}”`);
  return isNamed ? placeOf(key) : { offset, length };
}

/** Why the last run failed at a step. A step that has changed since is not known to be wrong any more. */
export function failureIn(recipe: Recipe, name: string, last: RecipeEnd | undefined): string | undefined {
  const failure = last?.steps.find((step) => step.name === name)?.failure;
  if (!last || !failure || meaning(recipe, name) !== meaning(last.recipe, name)) return undefined;
  return sentence(failure);
}

const placeOf = (node: Node | undefined): { offset: number; length: number } => ({
  offset: node?.offset ?? 0,
  length: node?.length ?? 1,
});

/** All that a step says, with the values of the variables that it names. */
function meaning({ steps, variables, model }: Recipe, name: string): string {
  const step = steps.find((each) => each.name === name);
  const values = referencesIn(step?.options).map((each) =>
    each.kind === 'variable' ? (variables[each.name] ?? null) : null,
  );
  return JSON.stringify([step?.job, step?.options, model, values]);
}

/** The limit of the step, or that of the recipe if the step's own is another one. */
function limitPath(recipe: Recipe, { step, limit, most }: LimitCheck): string[] {
  const own = recipe.steps.find(({ name }) => name === step)?.limits ?? {};
  const isOwn = own[limit] !== undefined && limitValue(limit, withValues(recipe, own)[limit]) === most;
  return isOwn ? ['steps', step, 'limits', limit] : ['limits', limit];
}

const sentence = ({ what, why, action }: { what: string; why: string; action: string }): string =>
  capitalized(`${what}: ${why}. ${action}`);
