/** Open Walkthrough: opens the steps for new users. */
import * as vscode from 'vscode';
import type { Command } from '../host/command';

export const openWalkthroughCommand: Command = {
  id: 'coppice.openWalkthrough',
  async run({ context }) {
    await vscode.commands.executeCommand('workbench.action.openWalkthrough', `${context.extension.id}#start`, false);
  },
};
