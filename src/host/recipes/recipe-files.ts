/** Which files are recipes, and the recipes of the workspace. */
import * as vscode from 'vscode';
import { RECIPE_SUFFIX } from '../../recipes/recipe';
import { isRecipeName } from './recipe-names';

/** For lenses and links: recipes on the disk. */
export const RECIPE_SELECTOR: vscode.DocumentSelector = [{ scheme: 'file', pattern: `**/*${RECIPE_SUFFIX}` }];

export const isRecipe = ({ uri }: vscode.TextDocument): boolean => uri.scheme === 'file' && isRecipeName(uri.fsPath);

/** More are not listed. */
const MAX_RECIPES = 500;

/** Paths of the recipes of the workspace, in their order. */
export async function findRecipes(token?: vscode.CancellationToken): Promise<string[]> {
  const exclude = '**/{node_modules,.coppice,.git}/**';
  const found = await vscode.workspace.findFiles(`**/*${RECIPE_SUFFIX}`, exclude, MAX_RECIPES, token);
  return found.map(({ fsPath }) => fsPath).sort();
}

/** Keeps the context key that offers the commands of recipes: whether the workspace has one. */
export function followRecipes(): vscode.Disposable {
  const tell = async (): Promise<void> => {
    await vscode.commands.executeCommand('setContext', 'coppice.hasRecipes', (await findRecipes()).length > 0);
  };
  const watcher = vscode.workspace.createFileSystemWatcher(`**/*${RECIPE_SUFFIX}`, false, true, false);
  void tell();
  return vscode.Disposable.from(watcher, watcher.onDidCreate(tell), watcher.onDidDelete(tell));
}
