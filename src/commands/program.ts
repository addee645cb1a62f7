/** Coppice itself: its log, its process, its tour, its command line. */
import * as vscode from 'vscode';
import { UserError } from '../engine/errors';
import { shellOf } from '../format/shell';
import { cliCommand } from '../host/cli-command';
import type { AnyCommand, Command } from '../host/command';
import { linesIn } from '../host/jobs/job-arguments';
import { specOf } from '../host/jobs/job-of-line';

/** Copy as CLI Command: copies the command line that repeats the last job, or the one of a line. */
const copyCliCommand: Command = {
  id: 'coppice.copyCliCommand',
  async run(coppice, args) {
    const [line] = linesIn(args);
    const spec = line ? await specOf(coppice, line) : coppice.history.last;
    const command = spec && cliCommand(spec, shellOf(vscode.env.shell));
    if (command === undefined) {
      throw new UserError(
        vscode.l10n.t('No command to copy'),
        whyNone(line !== undefined, spec !== undefined),
        vscode.l10n.t('Run a job first, such as “Coppice: Score Blocks…”.'),
      );
    }
    await vscode.env.clipboard.writeText(command);
    vscode.window.setStatusBarMessage(vscode.l10n.t('$(check) Command line copied'), 5000);
    return command;
  },
};

function whyNone(ofLine: boolean, isKnown: boolean): string {
  if (isKnown)
    return ofLine
      ? vscode.l10n.t('no single command does what this job did')
      : vscode.l10n.t('no single command does what the last job did');
  return ofLine ? vscode.l10n.t('the record of this run does not have it') : vscode.l10n.t('no job has run yet');
}

/** Show Log: opens the Coppice channel of the Output panel. */
const showLogCommand: Command = {
  id: 'coppice.showLog',
  run({ log }) {
    log.show();
    return Promise.resolve();
  },
};

/** Restart Compute Process: ends the sidecar and starts a new one. */
const restartSidecarCommand: Command = {
  id: 'coppice.restartSidecar',
  needsTrust: true,
  async run({ sidecar }) {
    await sidecar.restart();
    return sidecar.status;
  },
};

/** Open Walkthrough: opens the steps for new users. */
const openWalkthroughCommand: Command = {
  id: 'coppice.openWalkthrough',
  async run({ context }) {
    await vscode.commands.executeCommand('workbench.action.openWalkthrough', `${context.extension.id}#start`, false);
  },
};

export const programCommands: readonly AnyCommand[] = [
  copyCliCommand,
  showLogCommand,
  restartSidecarCommand,
  openWalkthroughCommand,
];
