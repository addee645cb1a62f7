/** Downloads task sets for Evaluate Tasks…, after a question that names every file, its host and its size. */
import { join } from 'node:path';
import * as vscode from 'vscode';
import type { TaskName } from '../engine/evaluate/tasks/catalogue';
import { planDownload } from '../engine/evaluate/tasks/download-plan';
import type { Coppice } from '../host/coppice';
import { pickMany, type Place } from '../host/ask/steps';
import { folderLabel, foldersOfTasks } from '../host/ask/task-data';
import { setChoices } from '../host/ask/task-sets';
import { fetchTasks } from './fetch-tasks';
import { withProgress } from './progress-notification';

/** The folder for all workspaces: the data are the same everywhere. */
export const tasksFolder = ({ context }: Coppice): string => join(context.globalStorageUri.fsPath, 'tasks');

/**
 * Asks which sets, and for consent, and fetches them.
 * @returns the sets, which are in `tasksFolder` now
 * @throws UserError, CancelledError
 */
export async function downloadTasks(coppice: Coppice, place: Place): Promise<readonly TaskName[]> {
  const { t } = vscode.l10n;
  const all = await setChoices({ own: tasksFolder(coppice), others: await foldersOfTasks(), nameOf: folderLabel });
  const usual = all.filter(({ refused }) => refused === undefined).slice(0, 1);
  const question = t('Select what to download; nothing is fetched before you have seen from where');
  const tasks = await pickMany(
    place,
    question,
    all,
    usual.map(({ value }) => value),
  );
  const plan = await planDownload(tasksFolder(coppice), tasks);
  await fetchTasks(plan, {
    shownFolder: t('Coppice’s own storage'),
    consent: async ({ question: asked, detail }) => {
      const go = t('Download');
      return (await vscode.window.showInformationMessage(asked, { modal: true, detail }, go)) === go;
    },
    within: (run) => withProgress(t('Downloading task data'), run),
  });
  return tasks;
}
