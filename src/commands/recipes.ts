/** Recipes around their runs: what one would do, its report, its end. */
import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import * as vscode from 'vscode';
import { reportAssets } from '../editors/page-html';
import { showPage } from '../editors/recipes/pages';
import { planPage } from '../editors/recipes/plan-page';
import { showReport } from '../editors/recipes/report-page';
import { UserError } from '../engine/errors';
import type { JsonObject } from '../format/json';
import type { AnyCommand, Command } from '../host/command';
import { chooseRecipe, openRecipe, type RecipeArguments } from '../host/recipes/choose-recipe';
import { isRecipeName } from '../host/recipes/recipe-names';
import { planRecipe } from '../recipes/plan';
import { REPORT_PAGE } from '../recipes/report/write';
import { Session } from '../recipes/session';
import { readResult } from '../recipes/state';
import { estimatesOf } from '../recipes/times';
import type { RunRecipeArguments } from './run-recipe';

/** Plan Recipe: a page that says what a run would do, without running anything. */
const planRecipeCommand: Command<RunRecipeArguments> = {
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

/** Open Recipe Report: shows the report of the last run. */
const openRecipeReportCommand: Command<RecipeArguments> = {
  id: 'coppice.openRecipeReport',
  needsTrust: true,
  async run({ context }, args) {
    const file = await chooseRecipe(args, vscode.l10n.t('Open Recipe Report'));
    const { folder } = await Session.open({ recipe: await openRecipe(file) });
    const html = join(folder, REPORT_PAGE);
    const name = basename(file);
    if (!existsSync(html)) {
      throw new UserError(
        vscode.l10n.t('{0} has no report', name),
        vscode.l10n.t('it has not run yet'),
        vscode.l10n.t('Run the recipe.'),
      );
    }
    await showReport(html, vscode.l10n.t('{0}: Report', name), await reportAssets(context.extensionUri));
    return html;
  },
};

/** Cancel Recipe: ends a run of a recipe. Finished steps stay, and the next run goes on. */
const cancelRecipeCommand: Command<RecipeArguments> = {
  id: 'coppice.cancelRecipe',
  run({ recipes }, { recipe, checkpoint }) {
    const active = vscode.window.activeTextEditor?.document.uri.fsPath;
    const shown = active !== undefined && isRecipeName(active) ? active : undefined;
    const file = recipe ?? checkpoint ?? shown ?? recipes.files[0];
    return Promise.resolve(file !== undefined && recipes.cancel(file));
  },
};

export const recipeCommands: readonly AnyCommand[] = [planRecipeCommand, openRecipeReportCommand, cancelRecipeCommand];
