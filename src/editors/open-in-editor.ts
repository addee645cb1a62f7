/** Opens a model in the checkpoint editor. */
import { readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import * as vscode from 'vscode';
import { CHECKPOINT_EDITOR, INDEX_EDITOR } from './checkpoint-editor';
import { locateCheckpoint } from '../engine/checkpoint/locate';

/** @throws UserError if the model has no file of weights */
export async function openInEditor(path: string): Promise<void> {
  const file = await weightsOf(path);
  const editor = file.endsWith('.index.json') ? INDEX_EDITOR : CHECKPOINT_EDITOR;
  await vscode.commands.executeCommand('vscode.openWith', vscode.Uri.file(file), editor);
}

/** The file to open for a model. A broken model has one too: the editor shows what is wrong with it. */
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
