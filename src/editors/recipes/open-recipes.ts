/** What the recipes that are open show: their problems, and lenses over their steps. */
import * as vscode from 'vscode';
import type { Coppice } from '../../host/coppice';
import { showRecipeProblems } from './diagnostics';
import { RecipeDocuments } from './documents';
import { showRecipeLenses } from './lenses';

export function showOpenRecipes(coppice: Coppice): vscode.Disposable {
  const documents = new RecipeDocuments(coppice);
  return vscode.Disposable.from(
    showRecipeProblems(coppice, documents),
    showRecipeLenses(coppice, documents),
    documents,
  );
}
