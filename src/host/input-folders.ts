/** Where files that records name may be looked up: a record may come from another computer and name any path. */
import { dirname } from 'node:path';
import * as vscode from 'vscode';
import type { Coppice } from './coppice';
import { givenFiles } from './given-files';

/**
 * Folders and files of the workspace, the view, the settings and the user's runs, and the folder of the bundled
 * texts.
 */
export function inputFolders(coppice: Pick<Coppice, 'config' | 'context' | 'library'>): string[] {
  const { config, context, library } = coppice;
  const workspace = (vscode.workspace.workspaceFolders ?? []).map(({ uri }) => uri.fsPath);
  const checkpoints = library.entries().map(({ path }) => path);
  const media = vscode.Uri.joinPath(context.extensionUri, 'media').fsPath;
  return [...workspace, ...checkpoints, ...givenFiles(coppice), dirname(config.calibration.file), media];
}
