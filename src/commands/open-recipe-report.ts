/** Open Recipe Report: shows the report of the last run. */
import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import * as vscode from 'vscode';
import { reportAssets } from '../editors/page-html';
import { showReport } from '../editors/recipes/report-page';
import { UserError } from '../engine/errors';
import { chooseRecipe, openRecipe, type RecipeArguments } from '../host/recipes/choose-recipe';
import type { Command } from '../host/command';
import { REPORT_PAGE } from '../recipes/report/write';
import { Session } from '../recipes/session';

export const openRecipeReportCommand: Command<RecipeArguments> = {
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
