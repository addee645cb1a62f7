/** The folders that belong to a checkpoint, in which nothing is written. */
import { dirname } from 'node:path';
import { isGgufCheckpoint } from './gguf/name';
import type { Checkpoint } from './types';

/** All folders with files of the checkpoint. The folder of a GGUF file is not its own: other models lie beside it. */
export function foldersOf(checkpoint: Checkpoint): string[] {
  if (isGgufCheckpoint(checkpoint)) return [];
  const { folder, shards } = checkpoint;
  return [...new Set([folder, ...shards.map(({ file }) => dirname(file))])];
}
