/** Notifications. All go through here, so that none has a stack, an absolute path or a regular expression. */
import { homedir, tmpdir } from 'node:os';
import * as vscode from 'vscode';
import { toastText } from '../format/toast-text';

/** What a notification of this kind says. Labels are buttons; resolves to the one that was pressed. */
export const toast = {
  info: (text: string, ...labels: readonly string[]): Thenable<string | undefined> =>
    vscode.window.showInformationMessage(shortText(text), ...labels),
  warning: (text: string, ...labels: readonly string[]): Thenable<string | undefined> =>
    vscode.window.showWarningMessage(shortText(text), ...labels),
  error: (text: string, ...labels: readonly string[]): Thenable<string | undefined> =>
    vscode.window.showErrorMessage(shortText(text), ...labels),
};

/** The text as a notification or a line of a list has it: files are named from the workspace. */
export const shortText = (text: string): string =>
  toastText(text, {
    workspace: (vscode.workspace.workspaceFolders ?? []).map(({ uri }) => uri.fsPath),
    others: [homedir(), tmpdir(), ...installed()],
  });

/** The folder of the extension, whose sample model errors may name. */
function installed(): string[] {
  const folder = vscode.extensions.getExtension('coppice.coppice')?.extensionPath;
  return folder === undefined ? [] : [folder];
}
