/** Writes the weights after a round: in float32, so that the next round starts where the training ended. */
import { requireArchitecture } from '../checkpoint/open';
import type { Checkpoint } from '../checkpoint/types';
import { canonicalKey, keyText, type WeightKey } from '../checkpoint/weight-key';
import type { Changes } from '../model/model';
import { throwIfCancelled } from '../errors';
import { withChanges } from '../weights/overlay';
import type { FittedText } from '../weights/beside';
import { PatchWriter } from '../weights/patch-writer';
import type { KeyedPatch } from '../weights/patches';
import { withWeights } from '../weights/checkpoint';

/** Weights to write. */
export interface RoundWeights {
  /** The weights before, as changes of the checkpoint's. */
  readonly changes: Changes;
  /** What the round adds on top. */
  readonly added: readonly KeyedPatch[];
  /** Blocks that are gone: their weights are left out. */
  readonly removed: readonly number[];
  /** How they were found, and on which texts. */
  readonly method: string;
  readonly texts: readonly FittedText[];
}

/**
 * Merges what the round adds into the weights, and writes every weight that differs from the checkpoint's.
 * @param path must not exist
 * @throws UserError when it cannot be written or a number is not finite; CancelledError
 */
export async function writeRoundWeights(
  checkpoint: Checkpoint,
  { changes, added, removed, method, texts }: RoundWeights,
  path: string,
  signal?: AbortSignal,
): Promise<void> {
  const architecture = requireArchitecture(checkpoint);
  const gone = new Set(removed);
  const keys = new Map<string, WeightKey>();
  for (const [key] of [...changes.flat(), ...added]) {
    if (typeof key !== 'string' && gone.has(key.layer)) continue;
    const canonical = canonicalKey(architecture, key);
    keys.set(keyText(canonical), canonical);
  }
  await withWeights(checkpoint, async (weights) => {
    const merged = withChanges(weights, [...changes, added]);
    const contents = { keys: [...keys.values()], removed, method, texts, facts: {} };
    const writer = await PatchWriter.create(path, checkpoint, contents);
    try {
      for (const key of keys.values()) {
        throwIfCancelled(signal);
        await writer.add(key, await merged.read(key));
      }
      await writer.finish();
    } finally {
      await writer.discard();
    }
  });
}
