/** Open Recipe Report: shows the report of the last run that ended. */
import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import * as vscode from 'vscode';
import { UserError } from '../engine/errors';
import { chooseRecipe, openRecipe, type RecipeArguments } from '../host/choose-recipe';
import type { Command } from '../host/command';
import { Session } from '../recipes/session';

export const openRecipeReportCommand: Command<RecipeArguments> = {
  id: 'coppice.openRecipeReport',
  async run(_coppice, args) {
    const file = await chooseRecipe(args, vscode.l10n.t('Open Recipe Report'));
    const { folder } = await Session.open({ recipe: await openRecipe(file) });
    const report = join(folder, 'report.md');
    if (!existsSync(report)) {
      throw new UserError(
        vscode.l10n.t('{0} has no report', basename(file)),
        vscode.l10n.t('it has not run to its end yet'),
        vscode.l10n.t('Run the recipe.'),
      );
    }
    if (!args.throws) await vscode.commands.executeCommand('markdown.showPreview', vscode.Uri.file(report));
    return report;
  },
};
