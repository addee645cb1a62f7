/**
 * Healed weights that lie in the folder of an adapter: those that it was trained on, where the training healed first. So the
 * adapter is complete with nothing beside it.
 */
import { access } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Checkpoint } from '../checkpoint/types';
import { readShardHeader } from '../formats/safetensors/file';
import { ADAPTER_WEIGHTS } from '../formats/peft';
import { readBase } from './base';

/** Name of the file in the adapter's folder. */
export const HEALED_BELOW = 'healed.patch.safetensors';

/**
 * The file of healed weights to use below an adapter on this checkpoint.
 * @param given the file that was named, which counts
 * @returns undefined if none was named and the folder has none for this checkpoint: one that was written from the healed
 *   weights has them already
 */
export async function healedBelow(
  adapter: string | undefined,
  checkpoint: Checkpoint,
  given: string | undefined,
): Promise<string | undefined> {
  if (given !== undefined || adapter === undefined) return given;
  const folder = resolve(adapter);
  const file = join(folder, HEALED_BELOW);
  const isThere = await access(file).then(
    () => true,
    () => false,
  );
  if (!isThere) return undefined;
  const { shard } = await readShardHeader(join(folder, ADAPTER_WEIGHTS), ADAPTER_WEIGHTS);
  const base = readBase(shard.metadata, ADAPTER_WEIGHTS);
  return base?.healed !== undefined && base.identity === checkpoint.identity ? file : undefined;
}
