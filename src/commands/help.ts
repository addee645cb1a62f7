/** Show Log, Restart Sidecar, Open Walkthrough. */
import * as vscode from 'vscode';
import type { Command } from '../host/command';

export const showLogCommand: Command = {
  id: 'coppice.showLog',
  run({ log }) {
    log.show();
    return Promise.resolve();
  },
};

export const restartSidecarCommand: Command = {
  id: 'coppice.restartSidecar',
  needsTrust: true,
  async run({ sidecar }) {
    await sidecar.restart();
    return sidecar.status;
  },
};

export const openWalkthroughCommand: Command = {
  id: 'coppice.openWalkthrough',
  async run({ context }) {
    await vscode.commands.executeCommand('workbench.action.openWalkthrough', `${context.extension.id}#start`, false);
  },
};
