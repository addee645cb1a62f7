/** A file as a step: some of the workspace's, a few fixed choices, or any other. */
import { existsSync } from 'node:fs';
import { basename, isAbsolute } from 'node:path';
import * as vscode from 'vscode';
import type { Coppice } from './coppice';
import { type Back, type Choice, pick, type Place } from './steps';
import { TEXT_EXTENSIONS, type TextUse, usableTexts } from './text-files';

/** How many files are looked at, and how many are listed. */
const MAX_FOUND = 1000;
const MAX_LISTED = 30;
/** No path is empty. */
const BROWSE = '';

export interface FileQuestion {
  readonly placeholder: string;
  readonly use: TextUse;
  /** Choices that come first. */
  readonly fixed: readonly Choice<string>[];
  /** What Enter takes. */
  readonly active?: string;
  /** A description of a file. */
  readonly describe?: (file: string) => Promise<string | undefined>;
}

/** A text for `use`, by its path or the value of a fixed choice. */
export async function chooseFile(
  coppice: Coppice,
  place: Place,
  { placeholder, use, fixed, active, describe }: FileQuestion,
): Promise<string | Back> {
  const extensions = TEXT_EXTENSIONS[use];
  const exclude = '**/{node_modules,.*,*.coppice-partial,*.training}/**';
  const found = await vscode.workspace.findFiles(`**/*.{${extensions.join(',')}}`, exclude, MAX_FOUND);
  const paths = found.map(({ fsPath }) => fsPath);
  const listed = (await usableTexts(paths, use, modelFolders(coppice))).slice(0, MAX_LISTED);
  const files = listed.map(async (path) => ({
    label: vscode.workspace.asRelativePath(path),
    description: (await describe?.(path)) ?? '',
    value: path,
  }));
  const filters = { [vscode.l10n.t('Texts')]: [...extensions] };
  const browse = (): Thenable<vscode.Uri[] | undefined> =>
    vscode.window.showOpenDialog({ title: place.title, canSelectMany: false, filters });
  return pickOrBrowse(place, placeholder, [...fixed, ...(await Promise.all(files))], browse, active);
}

/** Folders of checkpoints and adapters; a workspace that is one itself may hold the user's texts too. */
function modelFolders({ library }: Coppice): string[] {
  const workspaces = (vscode.workspace.workspaceFolders ?? []).map(({ uri }) => uri.fsPath);
  const folders = [...library.entries().map(({ path }) => path), ...library.adapters()];
  return folders.filter((path) => !workspaces.includes(path));
}

/**
 * One of several paths, or any other. A dialog that is cancelled leads back to the list that it was opened from.
 * @param active what was chosen last time: offered too if it comes from elsewhere, not if it is gone
 */
export async function pickOrBrowse(
  place: Place,
  placeholder: string,
  choices: readonly Choice<string>[],
  browse: () => Thenable<vscode.Uri[] | undefined>,
  active?: string,
): Promise<string | Back> {
  const other = { label: vscode.l10n.t('Browse…'), value: BROWSE };
  const elsewhere =
    active !== undefined && isAbsolute(active) && !choices.some(({ value }) => value === active) && existsSync(active);
  const last = elsewhere ? [{ label: basename(active), description: active, value: active }] : [];
  // Nothing is remembered: the first line is what Enter takes.
  for (let start = active === BROWSE ? undefined : active; ; start = BROWSE) {
    const choice = await pick<string>(place, placeholder, [...choices, ...last, other], start);
    if (choice !== BROWSE) return choice;
    const picked = await browse();
    if (picked?.[0]) return picked[0].fsPath;
  }
}
