/** Delete Record…: deletes the records of finished runs. What the runs wrote stays. */
import * as vscode from 'vscode';
import { CancelledError } from '../engine/errors';
import type { Command } from '../host/command';
import { linesOfKind } from '../host/jobs/job-arguments';

export const deleteRecordCommand: Command = {
  id: 'coppice.deleteRecord',
  async run(coppice, args) {
    const runs = linesOfKind(args, 'finished').map(({ run }) => run);
    if (runs.length === 0) return;
    if (!args.throws) await askWhetherSure(runs.length);
    await coppice.jobs.history.remove(runs);
    await coppice.jobs.readAgain();
  },
};

/** @throws CancelledError */
async function askWhetherSure(count: number): Promise<void> {
  const { t } = vscode.l10n;
  const remove = t('Delete');
  const question = count === 1 ? t('Delete the record of this run?') : t('Delete the records of {0} runs?', count);
  const detail = t('Charts and comparisons lose its numbers. Models that it wrote stay.');
  const chosen = await vscode.window.showWarningMessage(question, { modal: true, detail }, remove);
  if (chosen !== remove) throw new CancelledError();
}
