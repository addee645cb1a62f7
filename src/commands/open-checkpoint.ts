/** Open Checkpoint…: adds a folder or file to the view. A model that can only be inspected opens in the editor too. */
import { homedir } from 'node:os';
import * as vscode from 'vscode';
import { CancelledError } from '../engine/errors';
import type { Command } from '../host/command';
import { did } from '../host/tour';
import { openInEditor } from '../editors/open-in-editor';

export const openCheckpointCommand: Command = {
  id: 'coppice.openCheckpoint',
  async run(coppice, args) {
    const { path, checkpoint } = await coppice.library.open(args.checkpoint ?? (await choose()));
    const { identity, unsupported } = checkpoint;
    const usable = unsupported === undefined;
    coppice.hidden.show([path]);
    await vscode.commands.executeCommand('coppice.checkpoints.focus');
    await coppice.tree.reveal(path, { expand: usable });
    if (!usable) await openInEditor(path);
    await did('coppice.did.open');
    return { checkpoint: path, identity, usable };
  },
};

async function choose(): Promise<string> {
  const picked = await vscode.window.showOpenDialog({
    title: vscode.l10n.t('Open Checkpoint'),
    openLabel: vscode.l10n.t('Open'),
    canSelectFolders: true,
    canSelectFiles: true,
    defaultUri: vscode.workspace.workspaceFolders?.[0]?.uri ?? vscode.Uri.file(homedir()),
    filters: { [vscode.l10n.t('Checkpoints')]: ['safetensors', 'gguf', 'json'] },
  });
  if (!picked?.[0]) throw new CancelledError();
  return picked[0].fsPath;
}
