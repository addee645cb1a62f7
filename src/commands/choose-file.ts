/** A file as a step: some of the workspace's, a few fixed choices, or any other. */
import { existsSync } from 'node:fs';
import { basename, isAbsolute } from 'node:path';
import * as vscode from 'vscode';
import { type Back, type Choice, pick, type Place } from './steps';

const MOST_FILES = 30;
/** No path is empty. */
const BROWSE = '';

/** @param fixed choices that stand first @param extensions without dots */
export async function chooseFile(
  place: Place,
  placeholder: string,
  extensions: readonly string[],
  fixed: readonly Choice<string>[],
  active?: string,
): Promise<string | Back> {
  const pattern = `**/*.{${extensions.join(',')}}`;
  const exclude = '**/{node_modules,.*,*.coppice-partial}/**';
  const uris = await vscode.workspace.findFiles(pattern, exclude, MOST_FILES);
  const files = uris
    .filter(({ path }) => !NOT_TEXT.test(path))
    .map(({ fsPath }) => ({ label: vscode.workspace.asRelativePath(fsPath), value: fsPath }))
    .sort((a, b) => a.label.localeCompare(b.label));
  const filters = { [vscode.l10n.t('Texts')]: [...extensions] };
  const browse = (): Thenable<vscode.Uri[] | undefined> =>
    vscode.window.showOpenDialog({ title: place.title, canSelectMany: false, filters });
  return pickOrBrowse(place, placeholder, [...fixed, ...files], browse, active);
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
  for (let start = active; ; start = BROWSE) {
    const choice = await pick<string>(place, placeholder, [...choices, ...last, other], start);
    if (choice !== BROWSE) return choice;
    const picked = await browse();
    if (picked?.[0]) return picked[0].fsPath;
  }
}

/** Files of models, which are JSON and no text to read. */
const NOT_TEXT =
  /(config|tokenizer|tokenizer_config|generation_config|special_tokens_map|vocab|index|coppice|package|tsconfig)\.json$/;
