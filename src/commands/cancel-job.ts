/** Cancel Job: cancels the job, or asks which one. */
import * as vscode from 'vscode';
import type { Coppice } from '../host/coppice';
import type { JobInfo } from '../protocol/jobs';
import type { Command, CommonArguments } from '../host/command';
import { jobItem } from '../host/jobs/job-items';

export interface CancelArguments extends CommonArguments {
  /** Id of the job; undefined cancels the only job, or asks. */
  readonly id?: string;
}

export const cancelJobCommand: Command<CancelArguments> = {
  id: 'coppice.cancelJob',
  async run(coppice, { id: given }) {
    const { jobs } = coppice.sidecar;
    const id = given ?? (jobs.length > 1 ? await pickJob(coppice, jobs) : jobs[0]?.id);
    if (id === undefined) return false;
    await coppice.sidecar.cancel(id);
    return true;
  },
};

async function pickJob({ sidecar }: Coppice, jobs: readonly JobInfo[]): Promise<string | undefined> {
  const items = jobs.map((job) => jobItem(job, sidecar.isBehind(job.id)));
  const picked = await vscode.window.showQuickPick(items, {
    title: vscode.l10n.t('Cancel Job'),
    placeHolder: vscode.l10n.t('Select a job to cancel'),
  });
  return picked?.id;
}
