/** A step that asks for a file: fixed choices, files of the workspace, or any other file. */
import { existsSync } from 'node:fs';
import { basename, isAbsolute } from 'node:path';
import * as vscode from 'vscode';
import type { Coppice } from '../coppice';
import { applicationChoice, askApplication, NAME_APPLICATION } from './application-text';
import { type PickChoice, pick, type Place } from './steps';
import { TEXT_EXTENSIONS, type TextUse, usableTexts } from './text-files';

/** Maximum number of files to search and to list. */
const MAX_FOUND = 1000;
const MAX_LISTED = 30;
/** Value of "Browse…": no path is empty. */
const BROWSE = '';

export interface FileQuestion {
  readonly placeholder: string;
  readonly use: TextUse;
  /** Choices that come first. */
  readonly fixed: readonly PickChoice<string>[];
  /** The choice that Enter takes. */
  readonly active?: string;
  /** A description of a file. */
  readonly describe?: (file: string) => Promise<string | undefined>;
}

/** Asks for a text for `use`. @returns its path or the value of a fixed choice */
export async function chooseFile(
  coppice: Coppice,
  place: Place,
  { placeholder, use, fixed, active, describe }: FileQuestion,
): Promise<string> {
  const extensions = TEXT_EXTENSIONS[use];
  const listed = await listedTexts(coppice, use);
  const others = listed.filter((path) => !fixed.some(({ value }) => value === path));
  const files = others.map(async (path) => ({
    label: vscode.workspace.asRelativePath(path),
    description: (await describe?.(path)) ?? '',
    value: path,
  }));
  const filters = { [vscode.l10n.t('Texts')]: [...extensions] };
  const browse = (): Thenable<vscode.Uri[] | undefined> =>
    vscode.window.showOpenDialog({ title: place.title, canSelectMany: false, filters });
  // What the settings name is among the fixed choices already.
  const own = applicationChoice(coppice);
  const named = fixed.some(({ value }) => value === own.value) ? [] : [own];
  const choices = [...fixed, ...named, ...(await Promise.all(files))];
  for (;;) {
    const chosen = await pickOrBrowse(place, placeholder, choices, browse, active);
    const path = chosen === NAME_APPLICATION ? await askApplication(place) : chosen;
    if (path !== undefined) return path;
  }
}

/** Files of the workspace that may be read for `use`: the first ones by name. */
export async function listedTexts(coppice: Coppice, use: TextUse): Promise<string[]> {
  const exclude = '**/{node_modules,.*,*.coppice,*.coppice-partial,*.training,*.iterate}/**';
  const wanted = `**/*.{${TEXT_EXTENSIONS[use].join(',')}}`;
  const found = await vscode.workspace.findFiles(wanted, exclude, MAX_FOUND);
  const paths = found.map(({ fsPath }) => fsPath);
  return (await usableTexts(paths, use, modelFolders(coppice))).slice(0, MAX_LISTED);
}

/** Folders of checkpoints and adapters, except a workspace folder, which may hold the user's texts too. */
export function modelFolders({ library }: Coppice): string[] {
  const workspaces = (vscode.workspace.workspaceFolders ?? []).map(({ uri }) => uri.fsPath);
  const folders = [...library.entries().map(({ path }) => path), ...library.adapters()];
  return folders.filter((path) => !workspaces.includes(path));
}

/**
 * Asks for one of several paths or any other path. Cancelling the dialog returns to the list.
 * @param active the last choice; also offered if it is not in the list and still exists
 */
export async function pickOrBrowse(
  place: Place,
  placeholder: string,
  choices: readonly PickChoice<string>[],
  browse: () => Thenable<vscode.Uri[] | undefined>,
  active?: string,
): Promise<string> {
  const other = { label: vscode.l10n.t('Browse…'), value: BROWSE };
  const elsewhere =
    active !== undefined && isAbsolute(active) && !choices.some(({ value }) => value === active) && existsSync(active);
  const last = elsewhere ? [{ label: basename(active), description: active, value: active }] : [];
  // Without a last choice, Enter takes the first line.
  for (let start = active === BROWSE ? undefined : active; ; start = BROWSE) {
    const choice = await pick<string>(place, placeholder, [...choices, ...last, other], start);
    if (choice !== BROWSE) return choice;
    const picked = await browse();
    if (picked?.[0]) return picked[0].fsPath;
  }
}
