/**
 * Patches that lie in a file, beside a checkpoint on another drive. A graph reads all its files through one folder, which
 * two drives do not have (Windows): such patches are read into memory.
 */
import type { Checkpoint } from '../checkpoint/types';
import { haveCommonFolder } from '../files/paths';
import { readTensor } from '../formats/read-tensor';
import type { KeyedPatch } from './patches';

/** The patches as a graph can use them beside the checkpoint's files. @throws UserError when they cannot be read */
export async function withinReach(
  patches: readonly KeyedPatch[],
  { shards }: Pick<Checkpoint, 'shards'>,
): Promise<readonly KeyedPatch[]> {
  const files = shards.map(({ file }) => file);
  const reached: KeyedPatch[] = [];
  for (const [key, patch] of patches) {
    const far = patch.kind === 'stored' && !haveCommonFolder([...files, patch.tensor.file]);
    reached.push([key, far ? { kind: 'replace', values: await readTensor(patch.tensor) } : patch]);
  }
  return reached;
}
