/** Commands that only change what the view lists: Refresh, and taking out what was opened by hand. */
import type { Command } from './command';
import { choosePath } from './choose-checkpoint';
import * as vscode from 'vscode';

export const refreshCommand: Command = {
  id: 'coppice.refreshCheckpoints',
  async run({ library }) {
    for (const { path } of library.entries()) library.forget(path);
    await library.rescan();
    return { checkpoints: library.entries().map(({ path }) => path), adapters: library.adapters() };
  },
};

export const closeCheckpointCommand: Command = {
  id: 'coppice.closeCheckpoint',
  async run(coppice, args) {
    await coppice.library.close(args.checkpoint ?? (await choosePath(coppice, vscode.l10n.t('Remove from List'))));
  },
};
