/**
 * The application's text of a workspace: a file or a folder that is named once. From then on every job takes its rows of it, and
 * models are judged by rows that no job has seen.
 */
import * as vscode from 'vscode';
import { CancelledError } from '../../engine/errors';
import { readApplication } from '../../engine/application/read';
import { JOBS } from '../../jobs/definitions';
import { asApplication } from '../../jobs/application';
import type { JobSpec } from '../../protocol/jobs';
import type { Coppice } from '../coppice';
import { pick, type PickChoice, type Place } from './steps';

/** Value of the choice that names the text; no path is like it. */
export const NAME_APPLICATION = 'application:';

/** The job on the application's text, where it names that. */
export const onApplication = <S extends JobSpec>({ config }: Pick<Coppice, 'config'>, spec: S): S =>
  asApplication(spec, JOBS[spec.kind], config.application);

/** The application's text as a choice, or what asks for it once. */
export function applicationChoice({
  config,
}: Pick<Coppice, 'config'>): PickChoice<string> & { readonly description: string } {
  const { t } = vscode.l10n;
  const { application } = config;
  return application === undefined
    ? {
        label: t('$(comment-discussion) The text of your application…'),
        description: t('chats, prompts or documents; asked for once'),
        value: NAME_APPLICATION,
      }
    : {
        label: t('$(comment-discussion) The application’s text'),
        description: vscode.workspace.asRelativePath(application),
        value: application,
      };
}

/**
 * Asks for the application's text, and keeps it for the workspace.
 * @returns its path; undefined if the dialog was cancelled
 * @throws UserError where it cannot be read, CancelledError
 */
export async function askApplication(place: Place): Promise<string | undefined> {
  const { t } = vscode.l10n;
  const isFolder = await pick(place, t('Which text does your application read and write?'), [
    { label: t('$(folder) A folder…'), description: t('with chats, prompts and documents'), value: true },
    { label: t('$(file) A file…'), description: t('JSONL, JSON, Markdown or text'), value: false },
  ]);
  const picked = await vscode.window.showOpenDialog({
    title: place.title,
    canSelectFiles: !isFolder,
    canSelectFolders: isFolder,
    canSelectMany: false,
  });
  const path = picked?.[0]?.fsPath;
  if (path !== undefined) await keepApplication(path);
  return path;
}

/**
 * Reads the text once, so that what cannot be used is told now, and keeps its path in the settings of the workspace.
 * @returns how many records it has
 * @throws UserError where it cannot be read
 */
export async function keepApplication(path: string): Promise<number> {
  const controller = new AbortController();
  const where = { location: vscode.ProgressLocation.Window, title: vscode.l10n.t('Reading the application’s text') };
  const { splits } = await vscode.window.withProgress(where, () => readApplication(path, controller));
  const target = vscode.workspace.workspaceFolders
    ? vscode.ConfigurationTarget.Workspace
    : vscode.ConfigurationTarget.Global;
  const shown = vscode.workspace.asRelativePath(path, false);
  await vscode.workspace.getConfiguration('coppice').update('application.path', shown, target);
  return Object.values(splits).reduce((sum, records) => sum + records.length, 0);
}

/** The same of a dialog that was not answered. */
export async function requireApplication(place: Place): Promise<string> {
  const path = await askApplication(place);
  if (path === undefined) throw new CancelledError();
  return path;
}
