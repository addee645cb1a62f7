/** Recipes in the editor: problems, lenses, pages and tasks. */
import * as vscode from 'vscode';
import type { Coppice } from '../../host/coppice';
import { followRecipes } from '../../host/recipes/recipe-files';
import { showRecipeProblems } from './diagnostics';
import { RecipeDocuments } from './documents';
import { showRecipeLenses } from './lenses';
import { providePages } from './pages';
import { provideRecipeTasks } from './task-provider';

export function registerRecipes(coppice: Coppice): vscode.Disposable {
  const documents = new RecipeDocuments(coppice);
  return vscode.Disposable.from(
    followRecipes(),
    showRecipeProblems(coppice, documents),
    showRecipeLenses(coppice, documents),
    documents,
    providePages(),
    provideRecipeTasks(coppice),
  );
}
