/** Looks for checkpoints, adapters and GGUF files in the workspace: a bounded search, which reads no file. */
import * as vscode from 'vscode';
import { anyOf } from './globs';
import { type FoundModels, groupFiles } from './group-files';

export interface Found extends FoundModels {
  /** There may be more than were found. */
  readonly truncated: boolean;
}

/** More files than this and the workspace is a store of models, whose checkpoints are opened by hand. */
const MAX_FILES = 2000;
/** Everything that may be a checkpoint, for searching and for watching. */
export const WEIGHT_FILES = '**/*.{safetensors,safetensors.index.json,gguf}';

/** @param exclude globs, on top of `files.exclude` */
export async function findCheckpoints(exclude: readonly string[]): Promise<Found> {
  const uris = await vscode.workspace.findFiles(WEIGHT_FILES, anyOf(exclude), MAX_FILES);
  const files = uris.filter(({ scheme }) => scheme === 'file').map(({ fsPath }) => fsPath);
  return { ...groupFiles(files), truncated: uris.length >= MAX_FILES };
}
