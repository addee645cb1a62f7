/**
 * Where new checkpoints and adapters go: the pattern of the setting `coppice.outputFolder`, and the first name by it that
 * is free. Beside the source where that lies in the workspace; never into a model cache or into an extension.
 */
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { basename, dirname, isAbsolute, join, resolve } from 'node:path';
import * as vscode from 'vscode';
import { stateFileOf } from '../engine/retrain/workspace';
import { modelName } from '../engine/runs/record';
import type { Checkpoint } from '../engine/checkpoint/types';

/** @param suffix what was done to the model: "24-blocks", "adapter" */
export function outputFolder(pattern: string, checkpoint: Checkpoint, suffix: string): string {
  const workspace = vscode.workspace.workspaceFolders?.[0]?.uri.fsPath;
  const inWorkspace = vscode.workspace.getWorkspaceFolder(vscode.Uri.file(checkpoint.folder));
  // Of a checkpoint that is the workspace itself this is the folder above: nothing may lie inside it.
  const beside = inWorkspace ? dirname(checkpoint.folder) : (workspace ?? homedir());
  const values: Readonly<Record<string, string>> = {
    folder: beside,
    workspaceFolder: workspace ?? beside,
    name: basename(modelName(checkpoint)),
    suffix,
  };
  const path = pattern.replace(/\$\{(\w+)\}/g, (all, name: string) => values[name] ?? all);
  return firstFree(isAbsolute(path) ? path : join(workspace ?? beside, path));
}

/** The path itself, or with -2, -3 … */
function firstFree(path: string): string {
  for (let n = 1; ; n++) {
    const candidate = n === 1 ? path : `${path}-${n}`;
    if (!existsSync(candidate) && !existsSync(stateFileOf(candidate))) return resolve(candidate);
  }
}

/** What is wrong with an output folder, for an input box. */
export function outputFault(text: string): string | undefined {
  if (text.trim() === '') return vscode.l10n.t('Name a folder.');
  if (!isAbsolute(text)) return vscode.l10n.t('Write the whole path.');
  if (existsSync(text)) return vscode.l10n.t('It exists already, and nothing is ever overwritten.');
  return existsSync(stateFileOf(text)) ? vscode.l10n.t('A retraining into it was stopped: choose another.') : undefined;
}
