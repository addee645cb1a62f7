/** Show Jobs: lists the running job with its progress, and the jobs that wait. */
import * as vscode from 'vscode';
import type { Coppice } from '../host/coppice';
import type { Command } from '../host/command';
import { jobItem, type JobItem } from '../host/jobs/job-items';

export const showJobsCommand: Command = {
  id: 'coppice.showJobs',
  async run(coppice, { throws }) {
    const { jobs } = coppice.sidecar;
    if (!throws) await showList(coppice);
    return jobs;
  },
};

/** A job, the log, or the view. */
type ListItem = JobItem & { readonly view?: true };

/** Shows a list that stays up to date while it is open. */
function showList({ sidecar }: Coppice): Promise<void> {
  const box = vscode.window.createQuickPick<ListItem>();
  box.title = vscode.l10n.t('Jobs');
  const cancel = { iconPath: new vscode.ThemeIcon('debug-stop'), tooltip: vscode.l10n.t('Cancel job') };
  const fill = (): void => {
    const items = sidecar.jobs.map((job) => ({ ...jobItem(job, sidecar.isBehind(job.id)), buttons: [cancel] }));
    const none = { label: vscode.l10n.t('No jobs'), alwaysShow: true };
    box.items = items.length > 0 ? [...items, viewItem()] : [none, viewItem(), logItem()];
    box.placeholder = items.length > 0 ? vscode.l10n.t('Select a job to show its log') : '';
  };
  fill();
  const listening = [sidecar.onJobs(fill), sidecar.onProgress(fill)];
  return new Promise((done) => {
    box.onDidTriggerItemButton(({ item }) => void (item.id && sidecar.cancel(item.id)));
    box.onDidAccept(() => {
      const command = box.selectedItems[0]?.view ? 'coppice.jobs.focus' : 'coppice.showLog';
      void vscode.commands.executeCommand(command);
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

/** The view has what was stopped and what is done, too. */
const viewItem = (): ListItem => ({
  label: vscode.l10n.t('$(history) Stopped and Finished Jobs'),
  alwaysShow: true,
  view: true,
});
const logItem = (): ListItem => ({ label: vscode.l10n.t('$(output) Show Log'), alwaysShow: true });
