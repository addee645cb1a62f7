/** Show Jobs and Cancel Job: what runs, how far it is, what waits. */
import * as vscode from 'vscode';
import type { Coppice } from '../host/coppice';
import type { JobInfo } from '../protocol/jobs';
import { jobTitle, progressShort, stateLine } from '../views/progress-words';
import type { Command, CommonArguments } from '../host/command';

export interface CancelArguments extends CommonArguments {
  /** Of the job; the running one when undefined and only one is there. */
  readonly id?: string;
}

export const showJobsCommand: Command = {
  id: 'coppice.showJobs',
  async run(coppice, { throws }) {
    const { jobs } = coppice.sidecar;
    if (!throws) await showList(coppice);
    return jobs;
  },
};

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
  const items = jobs.map((job) => ({ ...itemOf(job, sidecar.isBehind(job.id)), buttons: [] }));
  return (
    await vscode.window.showQuickPick(items, {
      title: vscode.l10n.t('Cancel Job'),
      placeHolder: vscode.l10n.t('Which job?'),
    })
  )?.id;
}

type JobItem = vscode.QuickPickItem & { readonly id?: string };

/** A list that stays up to date while it is open. */
function showList({ sidecar }: Coppice): Promise<void> {
  const box = vscode.window.createQuickPick<JobItem>();
  box.title = vscode.l10n.t('Jobs');
  const cancel = { iconPath: new vscode.ThemeIcon('debug-stop'), tooltip: vscode.l10n.t('Cancel') };
  const fill = (): void => {
    const items = sidecar.jobs.map((job) => ({ ...itemOf(job, sidecar.isBehind(job.id)), buttons: [cancel] }));
    box.items = items.length > 0 ? items : [{ label: vscode.l10n.t('No jobs'), alwaysShow: true }, LOG_ITEM()];
    box.placeholder = items.length > 0 ? vscode.l10n.t('Enter shows the log; the square cancels a job') : '';
  };
  fill();
  const listening = [sidecar.onJobs(fill), sidecar.onProgress(fill)];
  return new Promise((done) => {
    box.onDidTriggerItemButton(({ item }) => void (item.id && sidecar.cancel(item.id)));
    box.onDidAccept(() => {
      void vscode.commands.executeCommand('coppice.showLog');
      box.hide();
    });
    box.onDidHide(() => {
      for (const each of listening) each.dispose();
      box.dispose();
      done();
    });
    box.show();
  });
}

const LOG_ITEM = (): JobItem => ({ label: vscode.l10n.t('$(output) Show Log'), alwaysShow: true });

function itemOf(job: JobInfo, behind: boolean): JobItem & { readonly id: string } {
  const { id, progress } = job;
  return {
    id,
    label: `${behind ? '$(clock)' : '$(loading~spin)'} ${jobTitle(job)}`,
    description: progress && progressShort(progress),
    detail: stateLine(job, behind),
    alwaysShow: true,
  };
}
