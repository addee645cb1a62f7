/** Shows an error when the sidecar is no longer restarted, and the number of jobs as a badge of the view. */
import * as vscode from 'vscode';
import type { SidecarClient } from '../../sidecar/client';
import { toast } from '../toast';
import type { CheckpointTree } from '../../views/tree';

export function watchSidecar(sidecar: SidecarClient, tree: CheckpointTree): vscode.Disposable {
  const showJobs = (): void => {
    const count = sidecar.jobs.length;
    tree.showBadge(count, count === 1 ? vscode.l10n.t('1 job') : vscode.l10n.t('{0} jobs', count));
    void vscode.commands.executeCommand('setContext', 'coppice.busy', count > 0);
  };
  const subscriptions = [
    sidecar.onJobs(showJobs),
    sidecar.onStatus((status) => {
      if (status.state === 'failed') void sayFailed(status.why);
    }),
  ];
  return vscode.Disposable.from(...subscriptions);
}

async function sayFailed(why: string): Promise<void> {
  const [showLog, restart] = [vscode.l10n.t('Show Log'), vscode.l10n.t('Restart')];
  const text = vscode.l10n.t('The compute process of Coppice crashed repeatedly and was stopped: {0}', why);
  const chosen = await toast.error(text, showLog, restart);
  if (chosen === showLog) await vscode.commands.executeCommand('coppice.showLog');
  if (chosen === restart) await vscode.commands.executeCommand('coppice.restartSidecar');
}
