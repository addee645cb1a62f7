/** Run Recipe, and Run Recipe Step: run what is not done yet, in the sidecar. */
import * as vscode from 'vscode';
import { CancelledError } from '../engine/errors';
import { chooseRecipe, openRecipe, type RecipeArguments } from '../host/recipes/choose-recipe';
import type { Command } from '../host/command';
import type { Coppice } from '../host/coppice';
import { askRecipePrograms } from '../host/recipes/recipe-programs';
import { isStepsFault, runWithProgress, tellEnd, tellFailure } from '../host/recipes/run-recipe';
import type { StepElsewhere } from '../host/recipes/recipe-runs';
import type { RecipeStep } from '../recipes/recipe';
import type { RecipeEnd } from '../recipes/types';

export interface RunRecipeArguments extends RecipeArguments {
  /** Only this step and what it needs. */
  readonly step?: string;
  /** With the recipe's values for a quick try. */
  readonly quick?: boolean;
}

export const runRecipeCommand: Command<RunRecipeArguments> = {
  id: 'coppice.runRecipe',
  needsTrust: true,
  run: (coppice, args, settle) => run(coppice, args, vscode.l10n.t('Run Recipe'), settle),
};

export const runRecipeStepCommand: Command<RunRecipeArguments> = {
  id: 'coppice.runRecipeStep',
  needsTrust: true,
  async run(coppice, args, settle) {
    const title = vscode.l10n.t('Run Recipe Step');
    const recipe = await chooseRecipe(args, title);
    const step = args.step ?? (await askStep(recipe, title));
    return run(coppice, { ...args, recipe, step }, title, settle);
  },
};

/** @param fits which steps are offered */
export async function askStep(
  file: string,
  title: string,
  fits: (step: RecipeStep) => boolean = () => true,
): Promise<string> {
  const { steps } = await openRecipe(file);
  const items = steps.filter(fits).map(({ name, job, description = '' }) => ({
    label: name,
    description: job,
    detail: description,
  }));
  const placeHolder = vscode.l10n.t('Select a step; what it needs runs before it');
  const picked = await vscode.window.showQuickPick(items, { title, placeHolder });
  if (!picked) throw new CancelledError();
  return picked.label;
}

/** Runs a recipe, or a step with what it needs, and tells the end. */
export async function run(
  coppice: Coppice,
  args: RunRecipeArguments,
  title: string,
  settle: (args: object) => void,
  elsewhere?: StepElsewhere,
): Promise<RecipeEnd | undefined> {
  const file = await chooseRecipe(args, title);
  const { step, quick, device, throws } = args;
  settle({ ...args, recipe: file });
  const recipe = await openRecipe(file);
  const only = step === undefined ? [] : [step];
  const programs = throws ? undefined : await askRecipePrograms(recipe, only);
  const request = {
    recipe,
    ...(quick && { quick }),
    ...(step !== undefined && { only }),
    ...(programs && { programs }),
  };
  try {
    const end = await runWithProgress(coppice, request, { device, elsewhere });
    if (!throws) tellEnd(end);
    return end;
  } catch (error) {
    if (throws || !isStepsFault(error)) throw error;
    tellFailure(file, error);
    return undefined;
  }
}
