/** Searches the workspace for checkpoints and adapters. The search is bounded and reads no file. */
import * as vscode from 'vscode';
import { anyOf } from './globs';
import { type FoundModels, groupFiles } from './group-files';

export interface Found extends FoundModels {
  /** Whether the search stopped at its limit. */
  readonly truncated: boolean;
}

/** A workspace with more files is a store of models: the user opens its checkpoints by hand. */
const MAX_FILES = 2000;
/** Files that may be a checkpoint, to search for and to watch. */
export const WEIGHT_FILES = '**/*.{safetensors,safetensors.index.json,gguf}';

/** Models in ONNX, as exports have them: in a folder of that name. */
export const ONNX_MODELS = '**/onnx/*.onnx';

/** @param exclude globs, in addition to `files.exclude` */
export async function findCheckpoints(exclude: readonly string[]): Promise<Found> {
  const uris = await vscode.workspace.findFiles(WEIGHT_FILES, anyOf(exclude), MAX_FILES);
  const onnx = await vscode.workspace.findFiles(ONNX_MODELS, anyOf(exclude), MAX_FILES);
  const files = [...uris, ...onnx].filter(({ scheme }) => scheme === 'file').map(({ fsPath }) => fsPath);
  return { ...groupFiles(files), truncated: uris.length >= MAX_FILES };
}
