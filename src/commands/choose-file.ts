/** A file as a step: some of the workspace's, a few fixed choices, or any other. */
import * as vscode from 'vscode';
import { BACK, type Back, type Choice, pick, type Place } from './steps';

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
  const browse = { label: vscode.l10n.t('Browse…'), value: BROWSE };
  const choice = await pick<string>(place, placeholder, [...fixed, ...files, browse], active);
  if (choice !== BROWSE) return choice;
  const filters = { [vscode.l10n.t('Texts')]: [...extensions] };
  const picked = await vscode.window.showOpenDialog({ title: place.title, canSelectMany: false, filters });
  return picked?.[0]?.fsPath ?? BACK;
}

/** Files of models, which are JSON and no text to read. */
const NOT_TEXT =
  /(config|tokenizer|tokenizer_config|generation_config|special_tokens_map|vocab|index|coppice|package|tsconfig)\.json$/;
