/** Runs several jobs as one for the user: one notification with Cancel, which says the part and how many there are. */
import * as vscode from 'vscode';
import { CancelledError } from '../../engine/errors';
import { withoutLinks } from '../../format/no-links';
import type { JobInfo, JobSpec } from '../../protocol/jobs';
import { stateLine } from '../../state/words/progress-words';
import type { Together } from '../../state/together';
import type { CommonArguments } from '../command';
import { onApplication } from '../ask/application-text';
import type { Coppice } from '../coppice';
import { recordFolders } from './record-folders';

export interface PartJob {
  /** "perplexity" */
  readonly what: string;
  readonly spec: JobSpec;
}

/** What the jobs are about. */
export interface PartsOf extends Pick<Together, 'kind' | 'checkpoint' | 'word'> {
  /** "Compare" */
  readonly title: string;
}

/**
 * Runs the jobs one after the other; each leaves its record, which a later run need not repeat. Panels of the checkpoint
 * show them as one.
 * @throws UserError of the first job that fails; CancelledError
 */
export async function runParts(
  coppice: Coppice,
  { title, ...about }: PartsOf,
  jobs: readonly PartJob[],
  device: CommonArguments['device'],
): Promise<void> {
  const controller = new AbortController();
  const where = { location: vscode.ProgressLocation.Notification, title: withoutLinks(title), cancellable: true };
  const id = coppice.together.begin(about, () => controller.abort());
  const run = async (report: vscode.Progress<{ message?: string; increment?: number }>): Promise<void> => {
    for (const [at, { what, spec }] of jobs.entries()) {
      const named = vscode.l10n.t('{0}, {1} of {2}', what, at + 1, jobs.length);
      await runPart(coppice, { ...spec, ...(device && { device }) }, named, controller.signal, (message, job) => {
        report.report({ message: withoutLinks(message) });
        const own = job?.progress && job.progress.total > 0 ? job.progress.done / job.progress.total : 0;
        const label = [named, ...(job?.progress ? [job.progress.label] : [])].join(' · ');
        const progress = { label, done: at + own, total: jobs.length, unit: 'share' };
        coppice.together.update(id, { progress, part: job?.id });
      });
      report.report({ increment: 100 / jobs.length });
      if (controller.signal.aborted) throw new CancelledError(); // some jobs end early and keep what is done
    }
  };
  try {
    await vscode.window.withProgress(where, (report, token) => {
      token.onCancellationRequested(() => controller.abort());
      return run(report);
    });
  } finally {
    coppice.together.end(id);
  }
}

async function runPart(
  coppice: Coppice,
  spec: JobSpec,
  named: string,
  signal: AbortSignal,
  say: (message: string, job: JobInfo | undefined) => void,
): Promise<void> {
  const { config, sidecar } = coppice;
  let id = '';
  const show = (): void => {
    const job = sidecar.jobs.find((each) => each.id === id);
    say(job ? `${named} · ${stateLine(job, sidecar.isBehind(id))}` : named, job);
  };
  show();
  const listening = [sidecar.onJobs(show), sidecar.onProgress(show)];
  try {
    const onQueued = (given: string): void => {
      id = given;
    };
    const complete = { ...config.compute, records: recordFolders(coppice), ...onApplication(coppice, spec) };
    await sidecar.run(complete, { signal, onQueued, isPart: true });
  } finally {
    for (const each of listening) each.dispose();
  }
}
