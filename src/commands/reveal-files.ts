/** Reveal in Explorer: shows files of the workspace in the Explorer view, others in the file manager of the system. */
import * as vscode from 'vscode';
import type { Command } from '../host/command';
import { pathsOf } from '../host/line-paths';

export const revealFilesCommand: Command = {
  id: 'coppice.revealFiles',
  takesSeveral: true,
  async run(_, args) {
    for (const path of pathsOf(args)) {
      const uri = vscode.Uri.file(path);
      const inWorkspace = vscode.workspace.getWorkspaceFolder(uri) !== undefined;
      await vscode.commands.executeCommand(inWorkspace ? 'revealInExplorer' : 'revealFileInOS', uri);
    }
  },
};
