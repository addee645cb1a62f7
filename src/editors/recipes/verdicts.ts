/** What the results that are there say to the limits of a recipe. Does not use VS Code. */
import { UserError } from '../../engine/errors';
import type { JsonObject } from '../../format/json';
import { judge, measuresOf } from '../../recipes/limits';
import { inOrder } from '../../recipes/order';
import { LIMIT_NAMES, type Limits, type Recipe } from '../../recipes/recipe';
import { substitute } from '../../recipes/references';
import type { RecipePlan, LimitCheck } from '../../recipes/types';
import { l10n } from '../../l10n';

/** @param results of finished steps, by name @returns verdicts on steps that are done; none on those that run again */
export function verdictsOf({ recipe, steps }: RecipePlan, results: ReadonlyMap<string, JsonObject>): LimitCheck[] {
  return steps.flatMap(({ step, state, before }) => {
    const result = results.get(step.name);
    if (state !== 'done' || !before || !result) return [];
    try {
      return [sharedBy(recipe, step.name), step.limits].flatMap((limits) =>
        judge(before, result, withValues(recipe, limits)),
      );
    } catch (error) {
      if (error instanceof UserError) return []; // a limit that cannot be judged: the run says so
      throw error;
    }
  });
}

/** The recipe's own limits that concern a step: the last one that measures them. */
function sharedBy({ steps, limits }: Recipe, name: string): Limits {
  const { order } = inOrder(steps);
  const ours = LIMIT_NAMES.filter((limit) => {
    const last = order.findLast(({ job, options }) => measuresOf(job, options).includes(limit));
    return limits[limit] !== undefined && last?.name === name;
  });
  return Object.fromEntries(ours.map((limit) => [limit, limits[limit]]));
}

/** Limits with the values of their variables; they name nothing else. */
export const withValues = ({ variables }: Recipe, limits: Limits): Limits =>
  substitute(limits, (each) => (each.kind === 'variable' ? (variables[each.name] ?? null) : null)) as Limits;

/** "breaks maxPpl"; undefined if the step keeps to all its limits. */
export function brokenNames(verdicts: readonly LimitCheck[], step: string): string | undefined {
  const broken = verdicts.filter((each) => each.step === step && !each.kept).map(({ limit }) => limit);
  return broken.length === 0 ? undefined : l10n.t('breaks {0}', broken.join(', '));
}
