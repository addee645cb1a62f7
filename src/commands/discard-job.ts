/** Discard…: forgets a job that was stopped, with what it keeps for going on. */
import * as vscode from 'vscode';
import { CancelledError } from '../engine/errors';
import { IterateWorkspace, iterateFolderOf } from '../engine/iterate/workspace';
import { jobTitle, titledJob } from '../jobs/titles';
import type { Command } from '../host/command';
import type { Coppice } from '../host/coppice';
import { linesIn } from '../host/jobs/job-arguments';
import { roundsOf } from '../host/jobs/resumed';
import type { JobSpec } from '../protocol/jobs';
import type { JobLine } from '../state/jobs/line';

export const discardJobCommand: Command = {
  id: 'coppice.discardJob',
  async run(coppice, args) {
    for (const line of linesIn(args)) await discard(coppice, line, args.throws ?? false);
    await coppice.jobs.readAgain();
  },
};

async function discard(coppice: Coppice, line: JobLine, isSure: boolean): Promise<void> {
  switch (line.kind) {
    case 'training':
      await vscode.commands.executeCommand('coppice.discardTraining', {
        out: line.training.out,
        ...(isSure && { throws: true }),
      });
      break;
    case 'stopped': {
      const { spec, cancelled } = line.job;
      const rounds = roundsOf(spec);
      // What was cancelled and keeps nothing has nothing to lose.
      if (!isSure && (!cancelled || rounds !== undefined))
        await askWhetherSure(spec, rounds === undefined ? undefined : iterateFolderOf(rounds));
      if (rounds !== undefined) await IterateWorkspace.discard(rounds);
      coppice.journal.forget(spec);
      break;
    }
    case 'parts':
      if (!isSure) await askWhetherSure(line.run.spec);
      coppice.cluster.forgetFailed(line.run.folder);
      break;
    case 'failed': // it keeps nothing
      coppice.failed.dismiss(line.failed.id);
      break;
    default:
  }
}

/** @param folder that is deleted @throws CancelledError */
async function askWhetherSure(spec: JobSpec, folder?: string): Promise<void> {
  const { t } = vscode.l10n;
  const discardLabel = t('Discard');
  const detail =
    folder === undefined
      ? t('It leaves the list. Files stay as they are.')
      : t('Deletes the rounds that it has finished: the folder {0}.', folder);
  const question = t('Discard the job “{0}”?', jobTitle(titledJob(spec)));
  const chosen = await vscode.window.showWarningMessage(question, { modal: true, detail }, discardLabel);
  if (chosen !== discardLabel) throw new CancelledError();
}
