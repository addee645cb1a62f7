/** Open Checkpoint…: adds a folder or file from anywhere to the view. */
import { homedir } from 'node:os';
import * as vscode from 'vscode';
import { CancelledError } from '../engine/errors';
import type { Command } from './command';

export const openCheckpointCommand: Command = {
  id: 'coppice.openCheckpoint',
  async run({ library, tree }, args) {
    const { path, checkpoint } = await library.open(args.checkpoint ?? (await choose()));
    await vscode.commands.executeCommand('coppice.checkpoints.focus');
    await tree.reveal(path, { expand: true });
    await vscode.commands.executeCommand('setContext', 'coppice.did.open', true);
    const { identity, unsupported } = checkpoint;
    return { checkpoint: path, identity, usable: unsupported === undefined };
  },
};

async function choose(): Promise<string> {
  const picked = await vscode.window.showOpenDialog({
    title: vscode.l10n.t('Open Checkpoint'),
    openLabel: vscode.l10n.t('Open'),
    canSelectFolders: true,
    canSelectFiles: true,
    defaultUri: vscode.workspace.workspaceFolders?.[0]?.uri ?? vscode.Uri.file(homedir()),
    filters: { [vscode.l10n.t('Checkpoints')]: ['safetensors', 'json'] },
  });
  if (!picked?.[0]) throw new CancelledError();
  return picked[0].fsPath;
}
