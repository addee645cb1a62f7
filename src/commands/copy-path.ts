/** Copy Path: copies the paths of the selected lines, one per line. */
import * as vscode from 'vscode';
import type { Command } from '../host/command';
import { pathsOf } from '../host/line-paths';

export const copyPathCommand: Command = {
  id: 'coppice.copyPath',
  takesSeveral: true,
  async run(_, args) {
    await vscode.env.clipboard.writeText(pathsOf(args).join('\n'));
  },
};
