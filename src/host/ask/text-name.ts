/** The name of a text for the user, by which texts of one base name are told apart. */
import { basename } from 'node:path';
import * as vscode from 'vscode';
import { isInside } from '../../engine/files/paths';
import type { Coppice } from '../coppice';

/** A bundled file has a path that means nothing to the user, so it is named as bundled; others by their path in the workspace. */
export function textName({ context }: Pick<Coppice, 'context'>, file: string): string {
  const isOwn = isInside(file, context.extensionUri.fsPath);
  return isOwn ? vscode.l10n.t('Bundled sample text ({0})', basename(file)) : vscode.workspace.asRelativePath(file);
}
