/** Remove Checkpoint from List: removes checkpoints that were opened by hand. Their files stay. */
import * as vscode from 'vscode';
import { choosePath } from '../host/ask/choose-checkpoint';
import type { Command } from '../host/command';
import { pathsOf } from '../host/line-paths';

export const closeCheckpointCommand: Command = {
  id: 'coppice.closeCheckpoint',
  takesSeveral: true,
  async run(coppice, args) {
    const { library } = coppice;
    const named = pathsOf(args);
    if (named.length > 0) return library.close(named);
    const opened = library.entries().filter(({ origin }) => origin === 'opened');
    await library.close([await choosePath(coppice, vscode.l10n.t('Remove Checkpoint from List'), opened)]);
  },
};
