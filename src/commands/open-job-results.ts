/** Open Results of a line in the view "Jobs": the panel of its checkpoint, which draws the run if it is one. */
import * as vscode from 'vscode';
import { openResults } from '../editors/results/panel';
import { chooseCheckpoint } from '../host/ask/choose-checkpoint';
import type { Command } from '../host/command';
import { linesIn } from '../host/jobs/job-arguments';
import { checkpointOfLine } from '../host/jobs/job-of-line';

export const openJobResultsCommand: Command = {
  id: 'coppice.openJobResults',
  async run(coppice, args) {
    const [line] = linesIn(args);
    if (!line) return;
    const checkpoint = await checkpointOfLine(coppice, line);
    if (checkpoint === undefined) return;
    const { path, checkpoint: opened } = await chooseCheckpoint(coppice, { checkpoint }, vscode.l10n.t('Open Results'));
    await openResults(coppice, path, opened, line.kind === 'finished' ? line.run.id : undefined);
  },
};
