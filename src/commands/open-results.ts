/** Open Results: opens the results panel of a checkpoint. */
import * as vscode from 'vscode';
import { openResults } from '../editors/results/panel';
import { chooseCheckpoint } from '../host/choose-checkpoint';
import type { Command } from '../host/command';

export const openResultsCommand: Command = {
  id: 'coppice.openResults',
  async run(coppice, args) {
    const { path, checkpoint } = await chooseCheckpoint(coppice, args, vscode.l10n.t('Open Results'));
    await openResults(coppice, path, checkpoint);
  },
};
