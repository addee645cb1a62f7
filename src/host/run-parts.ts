/** Runs several jobs as one for the user: one notification with Cancel, which says the part and how many there are. */
import * as vscode from 'vscode';
import { CancelledError } from '../engine/errors';
import { withoutLinks } from '../format/no-links';
import type { JobSpec } from '../protocol/jobs';
import { stateLine } from '../views/progress-words';
import type { CommonArguments } from './command';
import type { Coppice } from './coppice';
import { recordFolders } from './run-job';

export interface PartJob {
  /** "perplexity" */
  readonly what: string;
  readonly spec: JobSpec;
}

/**
 * Runs the jobs one after the other; each leaves its record, which a later run need not repeat.
 * @param title "Compare"
 * @throws UserError of the first job that fails; CancelledError
 */
export async function runParts(
  coppice: Coppice,
  title: string,
  jobs: readonly PartJob[],
  device: CommonArguments['device'],
): Promise<void> {
  const controller = new AbortController();
  const where = { location: vscode.ProgressLocation.Notification, title: withoutLinks(title), cancellable: true };
  await vscode.window.withProgress(where, async (report, token) => {
    token.onCancellationRequested(() => controller.abort());
    for (const [at, { what, spec }] of jobs.entries()) {
      const named = vscode.l10n.t('{0}, {1} of {2}', what, at + 1, jobs.length);
      await runPart(coppice, { ...spec, ...(device && { device }) }, named, controller.signal, (message) =>
        report.report({ message: withoutLinks(message) }),
      );
      report.report({ increment: 100 / jobs.length });
      if (controller.signal.aborted) throw new CancelledError(); // some jobs end early and keep what is done
    }
  });
}

async function runPart(
  coppice: Coppice,
  spec: JobSpec,
  named: string,
  signal: AbortSignal,
  say: (message: string) => void,
): Promise<void> {
  const { config, sidecar } = coppice;
  let id = '';
  const show = (): void => {
    const job = sidecar.jobs.find((each) => each.id === id);
    say(job ? `${named} · ${stateLine(job, sidecar.isBehind(id))}` : named);
  };
  show();
  const listening = [sidecar.onJobs(show), sidecar.onProgress(show)];
  try {
    const onQueued = (given: string): void => {
      id = given;
    };
    const complete = { ...config.compute, records: recordFolders(coppice), ...spec };
    await sidecar.run(complete, { signal, onQueued, isPart: true });
  } finally {
    for (const each of listening) each.dispose();
  }
}
