/** Open Sample Model: opens the small model that comes with Coppice. */
import * as vscode from 'vscode';
import type { Command } from '../host/command';

export const openSampleCommand: Command = {
  id: 'coppice.openSample',
  async run({ context, library, tree }) {
    const path = vscode.Uri.joinPath(context.extensionUri, 'media', 'sample').fsPath;
    await library.open(path);
    await vscode.commands.executeCommand('coppice.checkpoints.focus');
    await tree.reveal(path, { expand: true });
    await vscode.commands.executeCommand('setContext', 'coppice.did.open', true);
    return { checkpoint: path };
  },
};
