/**
 * Folders of new checkpoints and adapters: the first free name by the pattern of the setting `coppice.outputFolder`.
 * They are beside a source in the workspace, and never in a model cache or an extension.
 */
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { basename, dirname, isAbsolute, join, resolve } from 'node:path';
import * as vscode from 'vscode';
import { wasStopped } from '../../engine/iterate/workspace';
import { stateFileOf } from '../../engine/retrain/loop/workspace';
import { modelName } from '../../engine/records/record';
import { isGgufCheckpoint } from '../../engine/checkpoint/gguf/name';
import type { Checkpoint } from '../../engine/checkpoint/types';
import { freeBytes, spaceFault, spaceWords } from './disk-space';
import { nearestParent, outputPath, outputPathFault } from './output-path';
import { ask, type Place, type Question } from './steps';

/**
 * @param suffix the change to the model: "24-blocks", "adapter"
 * @param extension of a file instead of a folder, with its dot
 */
export function outputFolder(pattern: string, checkpoint: Checkpoint, suffix: string, extension = ''): string {
  const workspace = vscode.workspace.workspaceFolders?.[0]?.uri.fsPath;
  const inWorkspace = vscode.workspace.getWorkspaceFolder(vscode.Uri.file(checkpoint.folder));
  // If the checkpoint is the workspace folder itself, the parent folder: nothing may be written into a checkpoint.
  const parent = isGgufCheckpoint(checkpoint) ? checkpoint.folder : dirname(checkpoint.folder);
  const beside = inWorkspace ? parent : (workspace ?? homedir());
  const values: Readonly<Record<string, string>> = {
    folder: beside,
    workspaceFolder: workspace ?? beside,
    name: basename(modelName(checkpoint)),
    suffix,
  };
  const path = pattern.replace(/\$\{(\w+)\}/g, (all, name: string) => values[name] ?? all);
  return firstFree(isAbsolute(path) ? path : join(workspace ?? beside, path), extension);
}

/** The path, or the path with -2, -3 and so on. */
function firstFree(path: string, extension: string): string {
  for (let n = 1; ; n++) {
    const candidate = `${path}${n === 1 ? '' : `-${n}`}${extension}`;
    if (!existsSync(candidate) && !existsSync(stateFileOf(candidate)) && !wasStopped(candidate))
      return resolve(candidate);
  }
}

/** The question for an output. `bytes` of it must fit on the disk; its size and the free space are shown. */
export type OutputQuestion = Pick<Question, 'prompt' | 'value' | 'meaning' | 'warns'> & { readonly bytes?: number };

/**
 * Asks for a new folder: an absolute path, or one relative to the workspace or the user's home (~).
 * @param question `value` is the default; `meaning` is shown for a folder that can be created
 * @returns its absolute path
 */
export const askOutputFolder = (place: Place, question: OutputQuestion): Promise<string> =>
  askOutput(place, question, (text) => (text.trim() === '' ? vscode.l10n.t('Enter a folder.') : undefined));

/** Asks for a new file in the same way. @param extension with its dot */
export const askOutputFile = (
  place: Place,
  { extension, ...question }: Pick<OutputQuestion, 'prompt' | 'value' | 'bytes'> & { readonly extension: string },
): Promise<string> =>
  askOutput(place, question, (text) =>
    text.trim().endsWith(extension) ? undefined : vscode.l10n.t('Enter a file that ends in {0}.', extension),
  );

/** @param fault what is wrong with the text, before the path is looked at */
async function askOutput(
  place: Place,
  { meaning: further, bytes, ...question }: OutputQuestion,
  fault: (text: string) => string | undefined,
): Promise<string> {
  const base = vscode.workspace.workspaceFolders?.[0]?.uri.fsPath ?? homedir();
  const lacksRoom = (path: string): string | undefined =>
    bytes === undefined ? undefined : spaceFault(bytes, freeBytes(path));
  const whole = (text: string): string | undefined => {
    const path = outputPath(text, base);
    return fault(text) ?? outputPathFault(path) ?? lacksRoom(path);
  };
  const meaning = (text: string): string | undefined => {
    const path = outputPath(text, base);
    const room = bytes === undefined ? undefined : spaceWords(bytes, freeBytes(path));
    const told = [path === text ? undefined : vscode.l10n.t('Writes to {0}.', path), further?.(text)];
    // VS Code shows the meaning in place of the prompt.
    const asked = told.every((each) => each === undefined) && room !== undefined ? `${question.prompt}.` : undefined;
    const words = [asked, ...told, room];
    return words.filter((each) => each !== undefined).join(' ') || undefined;
  };
  const browse = { iconPath: new vscode.ThemeIcon('folder-opened'), tooltip: vscode.l10n.t('Browse…') };
  for (let { value } = question; ;) {
    const answer = await ask(place, { ...question, value, fault: whole, meaning, button: browse });
    if (typeof answer === 'string') return outputPath(answer, base);
    value = (await browseParent(place.title, outputPath(answer.pressedAt, base))) ?? answer.pressedAt;
  }
}

/** Asks for the parent folder. @returns the new folder in it, with the name of `path` */
async function browseParent(title: string, path: string): Promise<string | undefined> {
  const picked = await vscode.window.showOpenDialog({
    title,
    openLabel: vscode.l10n.t('Select Parent Folder'),
    canSelectFolders: true,
    canSelectFiles: false,
    defaultUri: vscode.Uri.file(nearestParent(path)),
  });
  return picked?.[0] && join(picked[0].fsPath, basename(path));
}
