/**
 * Delete…: moves models and adapters to the trash, after a question that names them, and forgets their plans and scores.
 * Only what lies in the workspace, or what Coppice wrote.
 */
import { basename } from 'node:path';
import * as vscode from 'vscode';
import { closeResults } from '../editors/results/panel';
import { CancelledError, messageOf, UserError } from '../engine/errors';
import { isInside } from '../engine/files/paths';
import { textsIn } from '../engine/records/places';
import { formatBytes } from '../format/numbers';
import type { Command, CommonArguments } from '../host/command';
import type { Coppice } from '../host/coppice';
import { pathsOf } from '../host/line-paths';
import { type ModelFiles, modelFiles } from '../state/model-files';
import { closeTabsIn } from '../host/tabs';
import type { NamedPlanNode } from '../state/nodes';

export interface DeleteArguments extends CommonArguments {
  /** Deletes without the trash, if a caller that asks nothing says so. */
  readonly permanently?: boolean;
}

interface Doomed extends ModelFiles {
  /** In the list. */
  readonly path: string;
  readonly name: string;
  /** Coppice did not write it. */
  readonly foreign: boolean;
}

export const deleteModelCommand: Command<DeleteArguments> = {
  id: 'coppice.deleteModel',
  takesSeveral: true,
  async run(coppice, args) {
    const { lines } = args;
    for (const line of lines ?? []) if (line.kind === 'namedPlan') await deletePlan(line);
    // The key is pressed on any line: a block is not a model.
    const ofModels = lines?.filter(({ kind }) => ['checkpoint', 'adapter', 'export'].includes(kind));
    const paths = pathsOf({ ...args, lines: ofModels });
    if (paths.length === 0) return [];
    const doomed = await Promise.all(paths.map((path) => inspect(coppice, path)));
    for (const each of doomed) requireFree(coppice, each, paths);
    if (!args.throws) await confirm(coppice, doomed);
    for (const each of doomed) await remove(coppice, each, args);
    await coppice.library.rescan();
    return paths;
  },
};

const deletePlan = ({ plan, parent }: NamedPlanNode): Thenable<unknown> =>
  vscode.commands.executeCommand('coppice.deletePlan', { checkpoint: parent.entry.path, plan: plan.name });

async function inspect({ library, tree }: Coppice, path: string): Promise<Doomed> {
  const checkpoint = await library.load(path).catch(() => undefined);
  const foreign = !(await tree.isOurs(checkpoint?.home ?? path));
  const files = await modelFiles(path, checkpoint);
  const inWorkspace = files.roots.every(
    (root) => vscode.workspace.getWorkspaceFolder(vscode.Uri.file(root)) !== undefined,
  );
  if (foreign && !inWorkspace) {
    throw new UserError(
      vscode.l10n.t('{0} is not deleted', basename(path)),
      vscode.l10n.t('it lies outside the workspace, and Coppice did not write it'),
      vscode.l10n.t('Delete it in your file manager, or remove it from the list.'),
    );
  }
  return { ...files, path, name: basename(path), foreign };
}

/** @throws UserError when a job uses it, or other things lie in its folder */
function requireFree({ sidecar, library }: Coppice, { name, roots }: Doomed, all: readonly string[]): void {
  const isHeld = (path: string): boolean => roots.some((root) => isInside(path, root));
  const used = sidecar.jobs.flatMap(({ id, checkpoint }) => [checkpoint, ...textsIn(sidecar.specOf(id))]);
  if (used.some(isHeld)) {
    throw new UserError(
      vscode.l10n.t('{0} is not deleted', name),
      vscode.l10n.t('a job uses it'),
      vscode.l10n.t('Wait for the job, or cancel it first.'),
    );
  }
  const folders = (vscode.workspace.workspaceFolders ?? []).map(({ uri }) => uri.fsPath);
  const models = [...library.entries().map(({ path }) => path), ...library.adapters()];
  const inside = [...folders, ...models.filter((path) => !all.includes(path))].filter(isHeld);
  if (inside.length === 0) return;
  throw new UserError(
    vscode.l10n.t('{0} is not deleted', name),
    vscode.l10n.t('its folder holds more than this model: {0}', inside.map((path) => basename(path)).join(', ')),
    vscode.l10n.t('Delete single files in the Explorer.'),
  );
}

/** @throws CancelledError */
async function confirm({ tree }: Coppice, doomed: readonly Doomed[]): Promise<void> {
  const { t } = vscode.l10n;
  const bytes = doomed.reduce((sum, each) => sum + each.bytes, 0);
  const question =
    doomed.length === 1
      ? t('Delete {0} ({1})?', doomed[0].name, formatBytes(bytes))
      : t('Delete {0} models ({1})?', doomed.length, formatBytes(bytes));
  const detail = doomed.flatMap(({ path, roots, count, foreign }) => {
    const made = tree.namesBelow(path);
    const files = count === 1 ? t('1 file') : t('{0} files', count);
    return [
      `${roots[0]} · ${files}`,
      ...(foreign ? [t('⚠ Coppice did not write this model. It may be the only copy.')] : []),
      ...(made.length > 0 ? [t('What was made from it stays: {0}.', made.join(', '))] : []),
    ];
  });
  const toTrash = t('Move to Trash');
  const options = { modal: true, detail: [...detail, t('Its plans and scores are forgotten.')].join('\n') };
  if ((await vscode.window.showWarningMessage(question, options, toTrash)) !== toTrash) throw new CancelledError();
}

async function remove(coppice: Coppice, { path, name, roots }: Doomed, args: DeleteArguments): Promise<void> {
  closeResults(path);
  for (const root of roots) {
    await closeTabsIn(root);
    await removeFile(root, name, args);
  }
  const { library, plans, namedPlans, scores } = coppice;
  plans.forget(path);
  namedPlans.forgetAll(path);
  scores.forget(path);
  library.forget(path);
  await library.close([path]);
}

/** A machine without a trash, such as many remotes, is asked about once more. @throws UserError, CancelledError */
async function removeFile(root: string, name: string, { throws, permanently }: DeleteArguments): Promise<void> {
  const uri = vscode.Uri.file(root);
  try {
    await vscode.workspace.fs.delete(uri, { recursive: true, useTrash: !permanently });
  } catch (error) {
    const why = messageOf(error);
    const what = vscode.l10n.t('{0} is not deleted', name);
    const failure = new UserError(what, why, vscode.l10n.t('Delete it in your file manager.'), { cause: error });
    if (throws || permanently) throw failure;
    const sure = vscode.l10n.t('Delete Permanently');
    const question = vscode.l10n.t('{0} cannot be moved to the trash. Delete it for good?', name);
    const answer = await vscode.window.showWarningMessage(question, { modal: true, detail: why }, sure);
    if (answer !== sure) throw new CancelledError();
    await removeFile(root, name, { permanently: true });
  }
}
