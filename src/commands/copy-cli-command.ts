/** Copy as CLI Command: the `coppice …` that does what was done last. */
import * as vscode from 'vscode';
import { UserError } from '../engine/errors';
import { cliCommand } from '../host/cli-command';
import type { Command } from '../host/command';
import { shellOf } from '../host/shell-words';

export const copyCliCommand: Command = {
  id: 'coppice.copyCliCommand',
  async run({ history }) {
    const command = history.last && cliCommand(history.last, shellOf(vscode.env.shell));
    if (command === undefined) {
      throw new UserError(
        vscode.l10n.t('There is no command line to copy'),
        history.last ? vscode.l10n.t('no single command does this') : vscode.l10n.t('nothing was run yet'),
        vscode.l10n.t('Score, prune, evaluate, generate, retrain or merge first.'),
      );
    }
    await vscode.env.clipboard.writeText(command);
    vscode.window.setStatusBarMessage(vscode.l10n.t('$(check) Command line copied'), 5000);
    return command;
  },
};
