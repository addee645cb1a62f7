/** A download in a notification: how much of it is there, and a button that ends it. */
import * as vscode from 'vscode';
import type { JobOptions } from '../engine/progress';
import { withoutLinks } from '../format/no-links';
import { formatBytes } from '../format/numbers';

/** @param run reports bytes; its signal is the button */
export async function withProgress<T>(title: string, run: (job: JobOptions) => Promise<T>): Promise<T> {
  const where = { location: vscode.ProgressLocation.Notification, title: withoutLinks(title), cancellable: true };
  return vscode.window.withProgress(where, (report, token) => {
    const controller = new AbortController();
    token.onCancellationRequested(() => controller.abort());
    let shown = 0;
    return run({
      signal: controller.signal,
      onProgress: ({ done, total }) => {
        const percent = total > 0 ? (100 * done) / total : 100;
        const message = vscode.l10n.t('{0} of {1}', formatBytes(done), formatBytes(total));
        report.report({ message, increment: Math.max(0, percent - shown) });
        shown = Math.max(shown, percent);
      },
    });
  });
}
