/**
 * Runs a job of the sidecar for a command: adds the settings for device, memory and records, and shows a progress
 * notification with Cancel after a second.
 */
import { isAbsolute, join } from 'node:path';
import * as vscode from 'vscode';
import type { Coppice } from './coppice';
import { shownText } from '../engine/option-token';
import type { EventOf, JobKind, JobOutcome, JobSpec } from '../protocol/jobs';
import type { RunOptions, SidecarClient } from '../sidecar/client';
import { stateLine } from '../views/progress-words';
import { jobTitle, titledJob } from '../jobs/titles';
import { keepGivenFiles } from './given-files';
import { watchForEnd } from './attention';
import type { CommonArguments } from './command';

/** Shorter jobs show no notification. */
const QUIET_MS = 1000;

export interface RunJobOptions<S extends JobSpec> {
  readonly onEvent?: (event: EventOf<S['kind']>) => void;
  readonly device?: CommonArguments['device'];
}

/** A finished job. */
export type Finished<K extends JobKind> = JobOutcome<K> & {
  /** Whether it took long or ended without the focus, so that the user should be notified. */
  readonly unwatched: boolean;
};

/** @throws UserError, CancelledError */
export async function runJob<S extends JobSpec>(
  coppice: Coppice,
  spec: S,
  options: RunJobOptions<S> = {},
): Promise<Finished<S['kind']>> {
  const { config, sidecar } = coppice;
  const { device = spec.device ?? config.compute.device, onEvent } = options;
  const complete: S = { ...config.compute, records: recordFolders(coppice), ...spec, device };
  void keepGivenFiles(coppice, spec);
  return followJob(coppice, jobTitle(titledJob(spec)), (around) =>
    sidecar.run(complete, { ...around, ...(onEvent && { onEvent }) }),
  );
}

/** What a job that is followed needs to be told. */
export type Followed = Required<Pick<RunOptions<JobKind>, 'signal' | 'onQueued'>>;

/** Waits for the end of a job, with a progress notification with Cancel after a second. @throws errors of the job */
export async function followJob<K extends JobKind>(
  { sidecar, log }: Coppice,
  title: string,
  run: (around: Followed) => Promise<JobOutcome<K>>,
): Promise<Finished<K>> {
  const controller = new AbortController();
  const isUnwatched = watchForEnd({ now: () => performance.now(), focused: () => vscode.window.state.focused });
  let id = '';
  const running = run({
    signal: controller.signal,
    onQueued: (given) => {
      id = given;
    },
  });
  const settled = running.then(
    () => undefined,
    () => undefined,
  );
  const slow = await Promise.race([
    settled.then(() => false),
    new Promise<boolean>((go) => setTimeout(() => go(true), QUIET_MS)),
  ]);
  if (slow) {
    const where = { location: vscode.ProgressLocation.Notification, title, cancellable: true };
    void vscode.window.withProgress(where, async (report, token) => {
      token.onCancellationRequested(() => controller.abort());
      const show = meter(report, sidecar, id);
      show();
      const listening = [sidecar.onJobs(show), sidecar.onProgress(show)];
      await settled;
      for (const each of listening) each.dispose();
    });
  }
  const outcome = await running;
  for (const note of outcome.notes) log.info(`${title}: ${shownText(note)}`);
  return { ...outcome, unwatched: isUnwatched() };
}

/** Shows the state of the job. Progress is reported in increments, as VS Code expects. */
function meter(
  report: vscode.Progress<{ message?: string; increment?: number }>,
  sidecar: SidecarClient,
  id: string,
): () => void {
  let shown = 0;
  return () => {
    const job = sidecar.jobs.find((each) => each.id === id);
    if (!job) return;
    const { done = 0, total = 0 } = job.progress ?? {};
    const percent = total > 0 ? (100 * done) / total : 0;
    // If a phase starts at zero again, the bar waits.
    report.report({ message: stateLine(job, sidecar.isBehind(id)), increment: Math.max(0, percent - shown) });
    shown = Math.max(shown, percent);
  };
}

/** Folders for the record: in the workspace, or in the extension's storage. */
export function recordFolders({ config, context }: Coppice): string[] {
  const [workspace] = vscode.workspace.workspaceFolders ?? [];
  const own = join(context.globalStorageUri.fsPath, 'runs');
  if (isAbsolute(config.runsFolder)) return [config.runsFolder, own];
  return workspace ? [join(workspace.uri.fsPath, config.runsFolder), own] : [own];
}
