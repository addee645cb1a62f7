/**
 * What the manifest's `when` clauses know of the search for checkpoints. A view that has no lines yet says either that
 * the search runs or that nothing was found: the second only once that is known. Knows
 * nothing of VS Code.
 */
import type { HiddenPaths } from './hidden';
import type { CheckpointLibrary } from './library';

type Listed = Pick<CheckpointLibrary, 'isScanned' | 'entries' | 'adapters' | 'ggufs'>;

/** Values of context keys, by their names. */
export function scanState(library: Listed, hidden: Pick<HiddenPaths, 'size'>): Readonly<Record<string, unknown>> {
  const checkpoints = library.entries();
  const lines = checkpoints.length + library.adapters().length + library.ggufs().length;
  return {
    'coppice.empty': library.isScanned && lines === 0,
    'coppice.hasHidden': hidden.size > 0,
    'coppice.hasCheckpoints': checkpoints.length > 0,
    // For the menu of the Explorer, which cannot look into folders.
    'coppice.checkpointFolders': checkpoints.map(({ path }) => path),
    'coppice.scanned': library.isScanned,
  };
}
