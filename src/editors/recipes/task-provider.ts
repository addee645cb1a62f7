/** Tasks of the type `coppice`: one for each recipe of the workspace, or what tasks.json names. They run in the sidecar. */
import { isAbsolute, join } from 'node:path';
import * as vscode from 'vscode';
import { isObject } from '../../format/json';
import type { Coppice } from '../../host/coppice';
import { findRecipes } from '../../host/recipes/recipe-files';

const TYPE = 'coppice';

export interface RecipeTask {
  /** A path that starts at the workspace folder. */
  readonly recipe: string;
  readonly step?: string;
  readonly quick?: boolean;
}

export function provideRecipeTasks(coppice: Coppice): vscode.Disposable {
  const make = (definition: vscode.TaskDefinition & RecipeTask, folder: vscode.WorkspaceFolder): vscode.Task => {
    const { recipe, step, quick } = definition;
    const name = [recipe, ...(step === undefined ? [] : [step]), ...(quick ? ['quick'] : [])].join(' · ');
    const file = isAbsolute(recipe) ? recipe : join(folder.uri.fsPath, recipe);
    const execution = new vscode.CustomExecution(async () => {
      const { RecipeTerminal } = await import('./recipe-terminal');
      return new RecipeTerminal(coppice, file, definition);
    });
    // The problems of recipes are shown already.
    const task = new vscode.Task(definition, folder, name, TYPE, execution, []);
    task.detail = vscode.l10n.t('Makes what the recipe describes; finished steps are kept');
    return task;
  };
  return vscode.tasks.registerTaskProvider(TYPE, {
    async provideTasks(token) {
      const found = await findRecipes(token);
      return found.flatMap((path) => {
        const folder = vscode.workspace.getWorkspaceFolder(vscode.Uri.file(path));
        if (!folder) return [];
        return [make({ type: TYPE, recipe: vscode.workspace.asRelativePath(path, false) }, folder)];
      });
    },
    resolveTask({ definition, scope }) {
      const folder = isObject(scope) && 'uri' in scope ? scope : vscode.workspace.workspaceFolders?.[0];
      return folder && isRecipeTask(definition) ? make(definition, folder as vscode.WorkspaceFolder) : undefined;
    },
  });
}

const isRecipeTask = (value: vscode.TaskDefinition): value is vscode.TaskDefinition & RecipeTask =>
  typeof value.recipe === 'string' &&
  (value.step === undefined || typeof value.step === 'string') &&
  (value.quick === undefined || typeof value.quick === 'boolean');
