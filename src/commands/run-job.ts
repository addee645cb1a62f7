/**
 * Runs a job of the sidecar for a command: adds the settings of how to compute and where the record goes, shows a
 * progress notification with Cancel once it takes longer than a second.
 */
import { isAbsolute, join } from 'node:path';
import * as vscode from 'vscode';
import type { Coppice } from '../coppice';
import type { EventOf, JobOutcome, JobSpec, ProgressInfo } from '../protocol/jobs';
import { progressLine } from '../views/progress-words';
import type { CommonArguments } from './command';

/** Shorter jobs come and go without a notification. */
const QUIET_MS = 1000;

export interface RunJobOptions<S extends JobSpec> {
  readonly title: string;
  readonly onEvent?: (event: EventOf<S['kind']>) => void;
  readonly device?: CommonArguments['device'];
}

/** @throws UserError, CancelledError */
export async function runJob<S extends JobSpec>(
  coppice: Coppice,
  spec: S,
  options: RunJobOptions<S>,
): Promise<JobOutcome<S['kind']>> {
  const { config, sidecar, log } = coppice;
  const { device = spec.device ?? config.compute.device } = options;
  const complete: S = { ...config.compute, records: recordFolders(coppice), ...spec, device };
  const controller = new AbortController();
  let show: (progress: ProgressInfo) => void = () => undefined;
  let latest: ProgressInfo | undefined;
  const running = sidecar.run(complete, {
    signal: controller.signal,
    onProgress: (progress) => {
      latest = progress;
      show(progress);
    },
    ...(options.onEvent && { onEvent: options.onEvent }),
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
    const where = { location: vscode.ProgressLocation.Notification, title: options.title, cancellable: true };
    void vscode.window.withProgress(where, async (report, token) => {
      token.onCancellationRequested(() => controller.abort());
      show = meter(report);
      if (latest) show(latest);
      else report.report({ message: vscode.l10n.t('waiting for its turn') });
      await settled;
    });
  }
  const outcome = await running;
  for (const note of outcome.notes) log.info(`${options.title}: ${note}`);
  return outcome;
}

/** Progress as increments, which is how VS Code wants it. */
function meter(report: vscode.Progress<{ message?: string; increment?: number }>): (progress: ProgressInfo) => void {
  let shown = 0;
  return (progress) => {
    const percent = progress.total > 0 ? (100 * progress.done) / progress.total : 0;
    // A new phase starts at zero again; the bar waits for it.
    report.report({ message: progressLine(progress), increment: Math.max(0, percent - shown) });
    shown = Math.max(shown, percent);
  };
}

/** Where the record may go: into the workspace, else into the extension's own storage. */
export function recordFolders({ config, context }: Coppice): string[] {
  const [workspace] = vscode.workspace.workspaceFolders ?? [];
  const own = join(context.globalStorageUri.fsPath, 'runs');
  if (isAbsolute(config.runsFolder)) return [config.runsFolder, own];
  return workspace ? [join(workspace.uri.fsPath, config.runsFolder), own] : [own];
}
