/**
 * Sorts the listed checkpoints by whether Coppice can run them. The others (broken, of an unsupported architecture
 * or type) are in a separate group at the end of the view, and no command offers them.
 */
import type { CheckpointLibrary, Entry } from './library';

export type CheckpointGroup = 'usable' | 'unsupported' | 'broken';

export interface CheckpointGroups {
  readonly usable: readonly Entry[];
  /** Readable, but of an unsupported architecture or type. */
  readonly unsupported: readonly Entry[];
  readonly broken: readonly Entry[];
}

/** Opens every listed checkpoint that is not open yet (headers only). */
export async function groupCheckpoints(
  library: Pick<CheckpointLibrary, 'entries' | 'load'>,
): Promise<CheckpointGroups> {
  const entries = library.entries();
  const groups = await Promise.all(entries.map(({ path }) => groupOf(library, path)));
  const inGroup = (group: CheckpointGroup): Entry[] => entries.filter((_, i) => groups[i] === group);
  return { usable: inGroup('usable'), unsupported: inGroup('unsupported'), broken: inGroup('broken') };
}

/** The group of a checkpoint by its current files. */
async function groupOf(library: Pick<CheckpointLibrary, 'load'>, path: string): Promise<CheckpointGroup> {
  const checkpoint = await library.load(path).catch(() => undefined);
  if (!checkpoint) return 'broken';
  return checkpoint.architecture ? 'usable' : 'unsupported';
}
