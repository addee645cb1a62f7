/** A new file of questions for Evaluate Tasks…: a template that shows both kinds of questions, opened to be changed. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import * as vscode from 'vscode';
import { writeTextFile } from '../engine/system-failure';
import { questionTemplate } from '../host/question-template';

const SUFFIX = '.coppice-tasks.json';

/** Writes the template beside the user's other files, or shows it unsaved without a folder. @returns its path */
export async function newQuestions(): Promise<string | undefined> {
  const folder = vscode.workspace.workspaceFolders?.[0]?.uri.fsPath;
  if (folder === undefined) {
    const document = await vscode.workspace.openTextDocument({ language: 'json', content: questionTemplate() });
    await vscode.window.showTextDocument(document);
    return undefined;
  }
  const file = freeName(folder);
  await writeTextFile(file, questionTemplate());
  await vscode.window.showTextDocument(vscode.Uri.file(file));
  return file;
}

function freeName(folder: string): string {
  for (let at = 1; ; at++) {
    const file = join(folder, `questions${at === 1 ? '' : `-${at}`}${SUFFIX}`);
    if (!existsSync(file)) return file;
  }
}
