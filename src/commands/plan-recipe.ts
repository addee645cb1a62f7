/** Plan Recipe: a page that says what a run would do, without running anything. */
import { basename } from 'node:path';
import * as vscode from 'vscode';
import { planPage } from '../editors/recipes/plan-page';
import { showPage } from '../editors/recipes/pages';
import type { JsonObject } from '../format/json';
import { chooseRecipe, openRecipe } from '../host/recipes/choose-recipe';
import type { Command } from '../host/command';
import { planRecipe } from '../recipes/plan';
import { readResult } from '../recipes/state';
import { estimatesOf } from '../recipes/times';
import type { RunRecipeArguments } from './run-recipe';

export const planRecipeCommand: Command<RunRecipeArguments> = {
  id: 'coppice.planRecipe',
  needsTrust: true,
  async run({ speeds }, args) {
    const title = vscode.l10n.t('Plan Recipe');
    const file = await chooseRecipe(args, title);
    const recipe = await openRecipe(file);
    const { step, quick } = args;
    const request = { recipe, ...(quick && { quick }), ...(step !== undefined && { only: [step] }) };
    const where = { location: vscode.ProgressLocation.Window, title };
    // The first look at a large model reads all its bytes.
    const plan = await vscode.window.withProgress(where, () => planRecipe(request, estimatesOf(request, speeds)));
    const results = new Map<string, JsonObject>();
    for (const { state, before } of plan.steps) {
      if (state === 'done' && before) results.set(before.name, await readResult(before));
    }
    if (!args.throws) await showPage(`${basename(file)}: ${vscode.l10n.t('Plan')}`, planPage(plan, results));
    return plan;
  },
};
