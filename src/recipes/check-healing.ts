/**
 * Refuses steps that would heal a model which cannot be healed so, before the first step runs: the refusal of the job could come
 * hours later. Reads headers only; what an earlier step has yet to write is taken from the model that it is made of.
 */
import { basename } from 'node:path';
import type { Architecture } from '../engine/checkpoint/architecture';
import { UserError } from '../engine/errors';
import { requireHealable } from '../engine/heal/healable';
import { HEAL_METHODS, type HealMethod } from '../engine/heal/methods';
import { CRITERION_LIST } from '../engine/importance/criteria';
import { withDefaults } from '../jobs/complete';
import { JOBS } from '../jobs/definitions';
import type { JsonObject } from '../format/json';
import { type Around, StepModels } from './step-models';
import { lineOf } from './read';
import type { Recipe, RecipeStep } from './recipe';

/** @throws UserError with the line of the file, for the first of these steps that cannot heal its model */
export async function checkHealing(around: Around, steps: readonly RecipeStep[]): Promise<void> {
  const models = new StepModels(around);
  for (const step of steps) {
    const options = models.options(step);
    const heals = options === undefined ? [] : healsBy(step, withDefaults(JOBS[step.job], options));
    if (heals.length > 0) await models.open(options!);
    const model = heals.length > 0 ? models.at(options!.checkpoint) : undefined;
    for (const { option, method } of model ? heals : []) {
      const error = refusalOf(model!.architecture, method);
      if (error) throw await atItsPlace(around.recipe, step, option, error);
    }
  }
}

interface Heals {
  /** The option that asks for it. */
  readonly option: string;
  /** Undefined for the way of the engine's choice. */
  readonly method?: HealMethod;
}

/** How a step heals, if it does. */
function healsBy({ job }: Pick<RecipeStep, 'job'>, options: JsonObject): Heals[] {
  const scored = CRITERION_LIST.find(({ name }) => name === options.criterion)?.heals;
  const method = HEAL_METHODS.find((name) => name === options.method);
  return [
    ...(scored ? [{ option: 'criterion' }] : []),
    ...(JOBS[job].heals?.(options) && method !== undefined ? [{ option: 'method', method }] : []),
  ];
}

function refusalOf(architecture: Architecture, method: HealMethod | undefined): UserError | undefined {
  try {
    requireHealable(architecture, method);
    return undefined;
  } catch (error) {
    if (error instanceof UserError) return error;
    throw error;
  }
}

async function atItsPlace(recipe: Recipe, { name }: RecipeStep, option: string, error: UserError): Promise<UserError> {
  const line = await lineOf(recipe.file, ['steps', name, 'options', option]);
  const place = `${basename(recipe.file)}${line === undefined ? '' : `, line ${line}`}: step “${name}”: `;
  const { what } = error.texts;
  return error.withTexts((text) => (text === what ? `${place}${text}` : text));
}
