/** Jobs as items of a quick pick. */
import type * as vscode from 'vscode';
import type { JobInfo } from '../../protocol/jobs';
import { progressShort, stateLine } from '../../state/words/progress-words';
import { jobTitle } from '../../jobs/titles';

/** An item of a job; other items have no id. */
export type JobItem = vscode.QuickPickItem & { readonly id?: string };

/** @param behind whether the job waits behind others */
export function jobItem(job: JobInfo, behind: boolean): JobItem & { readonly id: string } {
  const { id, progress } = job;
  return {
    id,
    label: `${behind ? '$(clock)' : '$(loading~spin)'} ${jobTitle(job)}`,
    description: progress && progressShort(progress),
    detail: stateLine(job, behind),
    alwaysShow: true,
  };
}
