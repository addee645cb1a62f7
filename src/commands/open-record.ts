/** Open Record: the JSON of a finished run. */
import * as vscode from 'vscode';
import type { Command } from '../host/command';
import { linesOfKind } from '../host/jobs/job-arguments';

export const openRecordCommand: Command = {
  id: 'coppice.openRecord',
  async run(_, args) {
    for (const { run } of linesOfKind(args, 'finished'))
      await vscode.window.showTextDocument(vscode.Uri.file(run.file), { preview: true });
  },
};
