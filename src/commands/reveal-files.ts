/** Reveal in Explorer: shows what the selected lines stand for, also of a finished export: files of the workspace in the Explorer view, others in the file manager of the system. */
import * as vscode from 'vscode';
import type { Command } from '../host/command';
import { exportedPath } from '../host/jobs/exported-path';
import { pathsOf } from '../host/line-paths';

export const revealFilesCommand: Command = {
  id: 'coppice.revealFiles',
  takesSeveral: true,
  async run(_, args) {
    const paths = args.jobs ? [(await exportedPath(args))!] : pathsOf(args);
    for (const path of paths) {
      const uri = vscode.Uri.file(path);
      const inWorkspace = vscode.workspace.getWorkspaceFolder(uri) !== undefined;
      await vscode.commands.executeCommand(inWorkspace ? 'revealInExplorer' : 'revealFileInOS', uri);
    }
  },
};
