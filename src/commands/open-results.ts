/** Open Results: opens the results panel of a checkpoint. */
import * as vscode from 'vscode';
import { openResults } from '../editors/results/panel';
import { chooseCheckpoint } from '../host/ask/choose-checkpoint';
import type { Command, CommonArguments } from '../host/command';

export interface OpenResultsArguments extends CommonArguments {
  /** Id of a recorded run, which its chart draws. */
  readonly run?: string;
}

export const openResultsCommand: Command<OpenResultsArguments> = {
  id: 'coppice.openResults',
  async run(coppice, args) {
    const { path, checkpoint } = await chooseCheckpoint(coppice, args, vscode.l10n.t('Open Results'));
    await openResults(coppice, path, checkpoint, args.run);
  },
};
