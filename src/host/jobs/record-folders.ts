/** Where the records of jobs are. */
import { accessSync, constants } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import * as vscode from 'vscode';
import type { Coppice } from '../coppice';

/**
 * Folders with the runs that the view “Jobs” lists. A workspace lists its own: those of windows without a folder are others.
 * Where the workspace cannot be written to, its runs are with those.
 */
export function jobFolders(coppice: Pick<Coppice, 'config' | 'context'>): string[] {
  const [first, ...others] = recordFolders(coppice);
  const [workspace] = vscode.workspace.workspaceFolders ?? [];
  return workspace && canWrite(workspace.uri.fsPath) ? [first] : [first, ...others];
}

function canWrite(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/** Folders for the record: in the workspace, or in the extension's storage. */
export function recordFolders({ config, context }: Pick<Coppice, 'config' | 'context'>): string[] {
  const [workspace] = vscode.workspace.workspaceFolders ?? [];
  const own = join(context.globalStorageUri.fsPath, 'runs');
  if (isAbsolute(config.runsFolder)) return [config.runsFolder, own];
  return workspace ? [join(workspace.uri.fsPath, config.runsFolder), own] : [own];
}
