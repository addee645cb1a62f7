/**
 * What the windows of a workspace see of each other. VS Code gives no two windows the same storage of a workspace: a second
 * window on a folder of a remote machine gets a folder of its own ("…-1"), and "Duplicate As Workspace in New Window" makes
 * another workspace. So what they share lies in the storage that all windows have, under the first folder of the workspace.
 */
import { createHash } from 'node:crypto';
import * as vscode from 'vscode';
import type { Memento } from '../state/memento';
import { SharedStore, takeAlong } from './shared-store';
import { WindowJobs } from './window-jobs';

/** Where this workspace's plans and the like were when it was last open. */
const PLACE = 'sharedFolder';

export interface Windows {
  /** Plans, goals and scores: what one window changes, the others see. */
  readonly shared: Memento;
  readonly windows: WindowJobs;
}

/** A window without a folder has plans of its own. */
export function openWindows(context: vscode.ExtensionContext, log: vscode.LogOutputChannel): Windows {
  const { globalStorageUri, workspaceState, subscriptions } = context;
  const [folder] = vscode.workspace.workspaceFolders ?? [];
  const base = folder ? vscode.Uri.joinPath(globalStorageUri, 'folders', nameOf(folder.uri)) : globalStorageUri;
  const windows = new WindowJobs(vscode.Uri.joinPath(base, 'windows').fsPath);
  const failed = (why: string): void => log.warn(`Other windows do not see what changes here: ${why}`);
  const shared = folder && new SharedStore(placeOf(context, base), workspaceState, failed);
  // Not every file system tells of changes: whoever comes back to a window sees what is there now.
  const focus = vscode.window.onDidChangeWindowState(({ focused }) => {
    if (!focused) return;
    windows.look();
    shared?.look();
  });
  subscriptions.push(focus, windows, ...(shared ? [shared] : []));
  return { shared: shared ?? workspaceState, windows };
}

/** A workspace whose first folder was another one before keeps its plans. */
function placeOf({ storageUri, workspaceState }: vscode.ExtensionContext, base: vscode.Uri): string {
  const place = vscode.Uri.joinPath(base, 'shared').fsPath;
  const inWorkspace = storageUri && vscode.Uri.joinPath(storageUri, 'shared').fsPath;
  const earlier = workspaceState.get<string>(PLACE) ?? inWorkspace;
  if (earlier !== undefined && earlier !== place) takeAlong(earlier, place);
  void workspaceState.update(PLACE, place);
  return place;
}

const nameOf = (folder: vscode.Uri): string =>
  createHash('sha256').update(folder.toString()).digest('hex').slice(0, 16);
