/** Recipes in the editor: problems, lenses, pages and tasks. */
import * as vscode from 'vscode';
import type { Coppice } from '../../host/coppice';
import { followRecipes, isRecipe } from '../../host/recipes/recipe-files';
import { providePages } from './pages';
import { provideRecipeTasks } from './task-provider';

export function registerRecipes(coppice: Coppice): vscode.Disposable {
  return vscode.Disposable.from(followRecipes(), whereOneIsOpen(coppice), providePages(), provideRecipeTasks(coppice));
}

/** Problems and lenses: they are loaded with the first recipe that is open. */
function whereOneIsOpen(coppice: Coppice): vscode.Disposable {
  const parts: vscode.Disposable[] = [];
  let isOver = false;
  const begin = async (): Promise<void> => {
    opening.dispose();
    const { showOpenRecipes } = await import('./open-recipes');
    if (!isOver) parts.push(showOpenRecipes(coppice));
  };
  const opening = vscode.workspace.onDidOpenTextDocument((document) => {
    if (isRecipe(document)) void begin();
  });
  if (vscode.workspace.textDocuments.some(isRecipe)) void begin();
  return new vscode.Disposable(() => {
    isOver = true;
    vscode.Disposable.from(opening, ...parts).dispose();
  });
}
