/** The files that a command is about. */
import { filePathOf } from '../state/nodes';
import type { CommonArguments } from './command';

/** Files and folders of the selected lines, or of the argument, each once. */
export function pathsOf({ lines, checkpoint }: CommonArguments): string[] {
  const paths = lines?.map(filePathOf) ?? [checkpoint];
  return [...new Set(paths)].filter((path) => path !== undefined);
}
