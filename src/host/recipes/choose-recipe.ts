/** Chooses the recipe of a command: the argument, the one in the editor, the only one, or one that the user picks. */
import { basename } from 'node:path';
import * as vscode from 'vscode';
import { CancelledError, UserError } from '../../engine/errors';
import { readRecipe } from '../../recipes/read';
import type { Recipe } from '../../recipes/recipe';
import type { CommonArguments } from '../command';
import { findRecipes } from './recipe-files';
import { isRecipeName } from './recipe-names';

/** Arguments of the commands of recipes. A file of the Explorer comes as `checkpoint`. */
export interface RecipeArguments extends CommonArguments {
  /** Path of the recipe. */
  readonly recipe?: string;
}

/** @throws UserError where there is no recipe; CancelledError */
export async function chooseRecipe({ recipe, checkpoint }: RecipeArguments, title: string): Promise<string> {
  const given = recipe ?? checkpoint;
  if (given !== undefined) return given;
  const active = vscode.window.activeTextEditor?.document.uri.fsPath;
  if (active !== undefined && isRecipeName(active)) return active;
  const found = await findRecipes();
  if (found.length === 0) {
    throw new UserError(
      vscode.l10n.t('There is no recipe'),
      vscode.l10n.t('the workspace has no file *.coppice.json'),
      vscode.l10n.t('Run “Coppice: New Recipe…”.'),
    );
  }
  if (found.length === 1) return found[0];
  const items = found.map((path) => ({
    label: basename(path),
    description: vscode.workspace.asRelativePath(path),
    path,
  }));
  const placeHolder = vscode.l10n.t('Select a recipe');
  const picked = await vscode.window.showQuickPick(items, { title, placeHolder, matchOnDescription: true });
  if (!picked) throw new CancelledError();
  return picked.path;
}

/** Reads a recipe as the user sees it: changes in the editor are saved before. @throws UserError */
export async function openRecipe(file: string): Promise<Recipe> {
  const document = vscode.workspace.textDocuments.find(({ uri }) => uri.fsPath === file);
  if (document?.isDirty) await document.save();
  return readRecipe(file);
}

/** Shows a recipe, with the cursor at a step. */
export async function showRecipe(file: string, offset = 0): Promise<void> {
  const editor = await vscode.window.showTextDocument(vscode.Uri.file(file));
  const place = editor.document.positionAt(offset);
  editor.selection = new vscode.Selection(place, place);
  editor.revealRange(new vscode.Range(place, place), vscode.TextEditorRevealType.InCenterIfOutsideViewport);
}
