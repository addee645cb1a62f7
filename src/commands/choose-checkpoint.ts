/** Which checkpoint a command is about: the one that it was given, the selected one, the only one, or the one picked. */
import * as vscode from 'vscode';
import type { Coppice } from '../coppice';
import { requireArchitecture } from '../engine/checkpoint/open';
import type { Architecture } from '../engine/checkpoint/architecture';
import type { Checkpoint } from '../engine/checkpoint/types';
import { CancelledError, UserError } from '../engine/errors';
import type { PlanSubject } from '../views/plan';
import { subjectOf } from '../views/subject';
import type { CommonArguments } from './command';

/** A checkpoint that can be computed with. */
export interface Chosen {
  readonly path: string;
  readonly checkpoint: Checkpoint;
  readonly architecture: Architecture;
  readonly subject: PlanSubject;
}

/** @throws UserError when it cannot be opened or computed with; CancelledError */
export async function chooseCheckpoint(
  coppice: Coppice,
  { checkpoint: given }: CommonArguments,
  title: string,
): Promise<Chosen> {
  const path = given === undefined ? await choosePath(coppice, title) : await coppice.library.resolve(given);
  const checkpoint = await coppice.library.load(path);
  const architecture = requireArchitecture(checkpoint);
  return { path, checkpoint, architecture, subject: subjectOf(path, checkpoint)! };
}

/** @throws UserError when there is none; CancelledError */
export async function choosePath({ library, tree }: Coppice, title: string): Promise<string> {
  if (!library.isScanned) await library.rescan();
  const entries = library.entries();
  if (entries.length === 0) {
    throw new UserError(
      vscode.l10n.t('There is no checkpoint to work with'),
      vscode.l10n.t('none was found in the workspace, and none was opened'),
      vscode.l10n.t('Open one with “Coppice: Open Checkpoint…”.'),
    );
  }
  if (entries.length === 1) return entries[0].path;
  const { selectedPath } = tree;
  if (selectedPath !== undefined) return selectedPath;
  const items = entries.map(({ path }) => ({ label: vscode.workspace.asRelativePath(path), path }));
  const picked = await vscode.window.showQuickPick(items, { title, placeHolder: vscode.l10n.t('Which checkpoint?') });
  if (!picked) throw new CancelledError();
  return picked.path;
}
