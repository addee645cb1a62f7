/** Commands that only change what the view lists: Refresh, Remove from List, Hide from List, Show Hidden. */
import * as vscode from 'vscode';
import { filePathOf } from '../views/nodes';
import { choosePath } from '../host/choose-checkpoint';
import type { Command, CommonArguments } from '../host/command';

export const refreshCommand: Command = {
  id: 'coppice.refreshCheckpoints',
  async run({ library }) {
    for (const { path } of [...library.entries(), ...library.ggufs()]) library.forget(path);
    await library.rescan();
    const [checkpoints, ggufs] = [library.entries(), library.ggufs()].map((list) => list.map(({ path }) => path));
    return { checkpoints, adapters: library.adapters(), ggufs };
  },
};

export const closeCheckpointCommand: Command = {
  id: 'coppice.closeCheckpoint',
  takesSeveral: true,
  async run(coppice, args) {
    const { library } = coppice;
    const named = pathsOf(args);
    if (named.length > 0) return library.close(named);
    const opened = [...library.entries(), ...library.ggufs()].filter(({ origin }) => origin === 'opened');
    await library.close([await choosePath(coppice, vscode.l10n.t('Remove from List'), opened)]);
  },
};

export const hideCheckpointCommand: Command = {
  id: 'coppice.hideCheckpoint',
  takesSeveral: true,
  run({ hidden }, args) {
    hidden.hide(pathsOf(args));
    return Promise.resolve();
  },
};

export const showHiddenCommand: Command = {
  id: 'coppice.showHidden',
  takesSeveral: true,
  run({ hidden }) {
    hidden.show();
    return Promise.resolve();
  },
};

/** Files and folders that a command about lines is about. */
export function pathsOf({ lines, checkpoint }: CommonArguments): string[] {
  const paths = lines?.map(filePathOf) ?? [checkpoint];
  return [...new Set(paths)].filter((path) => path !== undefined);
}
