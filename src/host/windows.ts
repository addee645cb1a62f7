/** What the windows of a workspace see of each other. */
import * as vscode from 'vscode';
import type { Memento } from './memento';
import { SharedStore } from './shared-store';
import { WindowJobs } from './window-jobs';

export interface Windows {
  /** Plans, goals and scores: what one window changes, the others see. */
  readonly shared: Memento;
  readonly windows: WindowJobs;
}

/** A window without a folder has plans of its own. */
export function openWindows(context: vscode.ExtensionContext, log: vscode.LogOutputChannel): Windows {
  const { storageUri, globalStorageUri, workspaceState, subscriptions } = context;
  const place = (base: vscode.Uri, name: string): string => vscode.Uri.joinPath(base, name).fsPath;
  const windows = new WindowJobs(place(storageUri ?? globalStorageUri, 'windows'));
  const failed = (why: string): void => log.warn(`Other windows do not see what changes here: ${why}`);
  const shared = storageUri && new SharedStore(place(storageUri, 'shared'), workspaceState, failed);
  // Not every file system tells of changes: whoever comes back to a window sees what is there now.
  const focus = vscode.window.onDidChangeWindowState(({ focused }) => {
    if (!focused) return;
    windows.look();
    shared?.look();
  });
  subscriptions.push(focus, windows, ...(shared ? [shared] : []));
  return { shared: shared ?? workspaceState, windows };
}
