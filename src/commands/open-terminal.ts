/** Open in Integrated Terminal: a terminal in the folder of each selected model. */
import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import * as vscode from 'vscode';
import type { Command } from '../host/command';
import { pathsOf } from '../host/line-paths';

export const openTerminalCommand: Command = {
  id: 'coppice.openTerminal',
  takesSeveral: true,
  async run(_, args) {
    const paths = await Promise.all(
      pathsOf(args).map(async (path) => {
        const isFolder = await stat(path).then(
          (found) => found.isDirectory(),
          () => false,
        );
        return isFolder ? path : dirname(path);
      }),
    );
    for (const cwd of new Set(paths)) vscode.window.createTerminal({ cwd }).show();
  },
};
