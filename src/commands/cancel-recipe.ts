/** Cancel Recipe: ends a run of a recipe. Finished steps stay, and the next run goes on. */
import type { RecipeArguments } from '../host/recipes/choose-recipe';
import { isRecipeName } from '../host/recipes/recipe-words';
import type { Command } from '../host/command';
import * as vscode from 'vscode';

export const cancelRecipeCommand: Command<RecipeArguments> = {
  id: 'coppice.cancelRecipe',
  run({ recipes }, { recipe, checkpoint }) {
    const active = vscode.window.activeTextEditor?.document.uri.fsPath;
    const shown = active !== undefined && isRecipeName(active) ? active : undefined;
    const file = recipe ?? checkpoint ?? shown ?? recipes.files[0];
    return Promise.resolve(file !== undefined && recipes.cancel(file));
  },
};
