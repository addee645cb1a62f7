/** Open editors of files. */
import * as vscode from 'vscode';
import { isInside } from '../engine/files/paths';

/** Closes the editors of a file, or of all files in a folder. */
export async function closeTabsIn(root: string): Promise<void> {
  const tabs = vscode.window.tabGroups.all.flatMap(({ tabs }) => tabs);
  const inside = tabs.filter(({ input }) => {
    const hasFile = input instanceof vscode.TabInputText || input instanceof vscode.TabInputCustom;
    return hasFile && input.uri.scheme === 'file' && isInside(input.uri.fsPath, root);
  });
  if (inside.length > 0) await vscode.window.tabGroups.close(inside);
}
