/** Open Checkpoint…: adds a folder or file to the view. A model that can only be inspected opens in the editor too. */
import { homedir } from 'node:os';
import { resolve } from 'node:path';
import * as vscode from 'vscode';
import type { Coppice } from '../host/coppice';
import { CancelledError } from '../engine/errors';
import { isGguf } from '../views/group-files';
import type { Command } from '../host/command';
import { openInEditor } from '../editors/open-in-editor';

export const openCheckpointCommand: Command = {
  id: 'coppice.openCheckpoint',
  async run(coppice, args) {
    const { path, identity, usable } = await open(coppice, args.checkpoint ?? (await choose()));
    coppice.hidden.show([path]);
    await vscode.commands.executeCommand('coppice.checkpoints.focus');
    await coppice.tree.reveal(path, { expand: usable });
    if (!usable) await openInEditor(path);
    await vscode.commands.executeCommand('setContext', 'coppice.did.open', true);
    return { checkpoint: path, identity, usable };
  },
};

async function open({ library }: Coppice, named: string): Promise<{ path: string; identity: string; usable: boolean }> {
  if (isGguf(named)) {
    const path = resolve(named);
    return { path, identity: (await library.openGguf(path)).identity, usable: false };
  }
  const { path, checkpoint } = await library.open(named);
  return { path, identity: checkpoint.identity, usable: checkpoint.unsupported === undefined };
}

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
