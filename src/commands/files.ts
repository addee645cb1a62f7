/** Commands for the files of a line: open them in the editor, reveal them, copy their path. */
import { readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import * as vscode from 'vscode';
import { CHECKPOINT_EDITOR, INDEX_EDITOR } from '../editors/checkpoint-editor';
import { locateCheckpoint } from '../engine/checkpoint/locate';
import type { Command } from '../host/command';
import { pathsOf } from './list';

export const openInEditorCommand: Command = {
  id: 'coppice.openInEditor',
  takesSeveral: true,
  async run(_, args) {
    for (const path of pathsOf(args)) await openInEditor(path);
  },
};

export const revealFilesCommand: Command = {
  id: 'coppice.revealFiles',
  takesSeveral: true,
  async run(_, args) {
    for (const path of pathsOf(args)) {
      const uri = vscode.Uri.file(path);
      const inWorkspace = vscode.workspace.getWorkspaceFolder(uri) !== undefined;
      await vscode.commands.executeCommand(inWorkspace ? 'revealInExplorer' : 'revealFileInOS', uri);
    }
  },
};

export const copyPathCommand: Command = {
  id: 'coppice.copyPath',
  takesSeveral: true,
  async run(_, args) {
    await vscode.env.clipboard.writeText(pathsOf(args).join('\n'));
  },
};

/** @throws UserError when there is no file of weights */
export async function openInEditor(path: string): Promise<void> {
  const file = await weightsOf(path);
  const editor = file.endsWith('.index.json') ? INDEX_EDITOR : CHECKPOINT_EDITOR;
  await vscode.commands.executeCommand('vscode.openWith', vscode.Uri.file(file), editor);
}

/** The file to open for a model. A model that cannot be opened has one too: the editor says what is wrong with it. */
async function weightsOf(path: string): Promise<string> {
  if (WEIGHTS.test(basename(path))) return path;
  try {
    return (await locateCheckpoint(path)).weights.path;
  } catch (error) {
    const names = await readdir(path).catch(() => []);
    const [first] = names.filter((name) => WEIGHTS.test(name)).sort();
    if (first === undefined) throw error;
    return join(path, first);
  }
}

const WEIGHTS = /\.(safetensors|gguf)$|\.safetensors\.index\.json$/;
