/**
 * Context keys about the search for checkpoints, for the manifest's `when` clauses. An empty view shows that the
 * search is running, or that nothing was found once the search has finished. Does not use VS Code.
 */
import { expertsIn } from '../engine/checkpoint/kinds/parts';
import type { HiddenPaths } from './hidden';
import type { CheckpointLibrary } from './library';

type Listed = Pick<CheckpointLibrary, 'isScanned' | 'entries' | 'adapters' | 'trainings' | 'peek'>;

/** What only a model with experts has. One that was not opened yet may have some. */
const mayHaveExperts = (library: Listed, path: string): boolean => {
  const checkpoint = library.peek(path);
  return checkpoint === undefined || (checkpoint.architecture?.layers.some((layer) => expertsIn(layer)) ?? false);
};

/** Values of context keys by name. */
export function scanState(library: Listed, hidden: Pick<HiddenPaths, 'size'>): Readonly<Record<string, unknown>> {
  const checkpoints = library.entries();
  const lines = checkpoints.length + library.adapters().length;
  return {
    'coppice.empty': library.isScanned && lines === 0,
    'coppice.hasHidden': hidden.size > 0,
    'coppice.hasCheckpoints': checkpoints.length > 0,
    'coppice.hasExperts': checkpoints.some(({ path }) => mayHaveExperts(library, path)),
    'coppice.hasStopped': library.trainings().length > 0,
    // For the Explorer menu, whose `when` clauses cannot read folders.
    'coppice.checkpointFolders': checkpoints.map(({ path }) => path),
    'coppice.scanned': library.isScanned,
  };
}
