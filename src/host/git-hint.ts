/** Offers to keep a model that was written into a Git work tree out of Git, or in Git LFS. Nothing is written without a click. */
import { stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import * as vscode from 'vscode';
import type { CommonArguments } from './command';
import type { Coppice } from './coppice';
import { showFailure } from './failure';
import { addLine, ignoreLine, isIgnored, lfsLine, workTreeOf } from './git-files';
import { toast } from './toast';

const NEVER = 'git.neverAsk';

/** @param path of what was written: a folder or a file */
export async function hintAtGit(coppice: Coppice, { throws }: CommonArguments, path: string): Promise<void> {
  const { globalState } = coppice.context;
  if (throws || globalState.get(NEVER) === true) return;
  const root = workTreeOf(path);
  if (root === undefined || (await isIgnored(root, path))) return;
  const { t } = vscode.l10n;
  const ignore = t('Add to .gitignore');
  const track = t('Track with Git LFS');
  const never = t('Never Ask');
  const question = t('{0} is in the Git repository {1}, which does not ignore it.', basename(path), basename(root));
  const chosen = await toast.info(question, ignore, track, never);
  try {
    if (chosen === never) await globalState.update(NEVER, true);
    if (chosen !== ignore && chosen !== track) return;
    const isFolder = (await stat(path)).isDirectory();
    if (chosen === ignore) await addLine(join(root, '.gitignore'), ignoreLine(root, path, isFolder));
    else await addLine(join(root, '.gitattributes'), lfsLine(root, path, isFolder));
  } catch (error) {
    showFailure(coppice, error, () => undefined);
  }
}
