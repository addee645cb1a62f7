/** Problems of the recipes that are open: in the file, and of their last run. */
import * as vscode from 'vscode';
import type { Coppice } from '../../host/coppice';
import type { RecipeDocuments } from './documents';
import { type PlacedProblem, recipeProblems } from './recipe-problems';

export function showRecipeProblems(
  { recipes }: Pick<Coppice, 'recipes'>,
  documents: RecipeDocuments,
): vscode.Disposable {
  const collection = vscode.languages.createDiagnosticCollection('coppice');
  const show = (file: string): void => {
    const uri = vscode.Uri.file(file);
    const status = documents.of(file);
    const document = vscode.workspace.textDocuments.find((each) => each.uri.fsPath === file);
    // A status that is older than the text has other places, and a new one follows.
    if (status && document?.getText() !== status.text) return;
    if (!status || !document) {
      collection.delete(uri);
      return;
    }
    const { text, read, verdicts } = status;
    const found = recipeProblems(text, read, recipes.last(file), verdicts);
    collection.set(
      uri,
      found.map((problem) => diagnosticOf(document, problem)),
    );
  };
  return vscode.Disposable.from(collection, documents.onChange(show));
}

function diagnosticOf(
  document: vscode.TextDocument,
  { offset, length, message, from }: PlacedProblem,
): vscode.Diagnostic {
  const range = new vscode.Range(document.positionAt(offset), document.positionAt(offset + Math.max(1, length)));
  const diagnostic = new vscode.Diagnostic(range, message, vscode.DiagnosticSeverity.Error);
  diagnostic.source = 'Coppice';
  diagnostic.code = from;
  return diagnostic;
}
