/** The order of steps: each after those that it needs. Pure. */
import type { RecipeStep } from './recipe';
import { stepsIn } from './references';

/** Names of the steps that must be done before a step, without repetition. */
export const needsOf = ({ options, limits, after }: RecipeStep): string[] => [
  ...new Set([...stepsIn(options), ...stepsIn(limits), ...after]),
];

/**
 * The steps in an order in which they can run; those that are free keep the order of the file.
 * @returns also the names of a circle, if there is one; then some steps are missing in the order
 */
export function inOrder(steps: readonly RecipeStep[]): { readonly order: RecipeStep[]; readonly circle: string[] } {
  const order: RecipeStep[] = [];
  const state = new Map<string, 'open' | 'done'>();
  let circle: string[] = [];
  const visit = (step: RecipeStep, path: readonly string[]): void => {
    if (state.get(step.name) === 'done') return;
    if (state.get(step.name) === 'open') {
      circle = [...path.slice(path.indexOf(step.name)), step.name];
      return;
    }
    state.set(step.name, 'open');
    for (const name of needsOf(step)) {
      const needed = steps.find((each) => each.name === name);
      if (needed && circle.length === 0) visit(needed, [...path, step.name]);
    }
    state.set(step.name, 'done');
    if (circle.length === 0) order.push(step);
  };
  for (const step of steps) if (circle.length === 0) visit(step, []);
  return { order, circle };
}

/** The named steps and all that they need, in order. Without names, all. */
export function chosenSteps(order: readonly RecipeStep[], names: readonly string[]): ReadonlySet<string> {
  if (names.length === 0) return new Set(order.map(({ name }) => name));
  const wanted = new Set(names);
  for (const step of order.toReversed()) if (wanted.has(step.name)) needsOf(step).forEach((name) => wanted.add(name));
  return wanted;
}
