/**
 * Which of the listed checkpoints can be computed with. The others (broken, of another architecture, GGUF) are in a
 * separate group at the end of the view, and no command offers them.
 */
import type { CheckpointLibrary, Entry } from './library';

export type CheckpointGroup = 'usable' | 'unsupported' | 'broken';

export interface CheckpointGroups {
  readonly usable: readonly Entry[];
  /** Opened, but of an architecture that Coppice does not compute. */
  readonly unsupported: readonly Entry[];
  readonly broken: readonly Entry[];
}

/** Opens every listed checkpoint, as far as that is not done yet: headers only. */
export async function groupCheckpoints(
  library: Pick<CheckpointLibrary, 'entries' | 'load'>,
): Promise<CheckpointGroups> {
  const entries = library.entries();
  const shelves = await Promise.all(entries.map(({ path }) => groupOf(library, path)));
  const on = (shelf: CheckpointGroup): Entry[] => entries.filter((_, i) => shelves[i] === shelf);
  return { usable: on('usable'), unsupported: on('unsupported'), broken: on('broken') };
}

/** The group of a checkpoint, by its files as they are now. */
export async function groupOf(library: Pick<CheckpointLibrary, 'load'>, path: string): Promise<CheckpointGroup> {
  const checkpoint = await library.load(path).catch(() => undefined);
  if (!checkpoint) return 'broken';
  return checkpoint.architecture ? 'usable' : 'unsupported';
}
