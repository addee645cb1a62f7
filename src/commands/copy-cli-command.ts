/** Copy as CLI Command: copies the command line that repeats the last job. */
import * as vscode from 'vscode';
import { UserError } from '../engine/errors';
import { cliCommand } from '../host/cli-command';
import type { Command } from '../host/command';
import { shellOf } from '../format/shell';

export const copyCliCommand: Command = {
  id: 'coppice.copyCliCommand',
  async run({ history }) {
    const command = history.last && cliCommand(history.last, shellOf(vscode.env.shell));
    if (command === undefined) {
      throw new UserError(
        vscode.l10n.t('No command to copy'),
        history.last
          ? vscode.l10n.t('no single command does what the last job did')
          : vscode.l10n.t('no job has run yet'),
        vscode.l10n.t('Run a job first, such as “Coppice: Score Blocks…”.'),
      );
    }
    await vscode.env.clipboard.writeText(command);
    vscode.window.setStatusBarMessage(vscode.l10n.t('$(check) Command line copied'), 5000);
    return command;
  },
};
