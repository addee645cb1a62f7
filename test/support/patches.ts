/** Changed weights, as healing leaves them: random corrections of o_proj and down_proj. */
import { openCheckpoint, requireArchitecture } from '../../src/engine/checkpoint/open';
import type { Checkpoint } from '../../src/engine/checkpoint/types';
import type { WeightKey } from '../../src/engine/checkpoint/weight-key';
import type { PatchNote } from '../../src/engine/weights/patch-note';
import { PatchWriter } from '../../src/engine/weights/patch-writer';
import type { KeyedPatch } from '../../src/engine/weights/patches';
import { withWeights } from '../../src/engine/weights/checkpoint';
import { normal } from './random';

/** o_proj and down_proj of the given blocks. */
export const healedKeys = (blocks: readonly number[]): WeightKey[] =>
  blocks.flatMap((layer): WeightKey[] => [
    { layer, name: 'o' },
    { layer, name: 'down' },
  ]);

/** Their numbers with a random correction that moves the model well beyond rounding. */
export async function randomCorrections(
  checkpoint: Checkpoint,
  blocks: readonly number[],
  seed = 5,
): Promise<[WeightKey, Float32Array][]> {
  const next = normal(seed);
  return withWeights(checkpoint, async (weights) => {
    const corrected: [WeightKey, Float32Array][] = [];
    for (const key of healedKeys(blocks)) {
      const values = await weights.read(key);
      corrected.push([key, values.map((value) => value + 0.02 * next())]);
    }
    return corrected;
  });
}

/** The same as patches in memory. */
export async function randomPatches(
  checkpoint: Checkpoint,
  blocks: readonly number[],
  seed = 5,
): Promise<KeyedPatch[]> {
  const corrections = await randomCorrections(checkpoint, blocks, seed);
  return corrections.map(([key, values]) => [key, { kind: 'replace', values }]);
}

/** Writes a patch file of random corrections of the kept blocks. @returns its path */
export async function writePatch(
  path: string,
  folder: string,
  removed: readonly (number | string)[],
  { seed = 5, adapter, texts = [] }: Partial<Pick<PatchNote, 'adapter' | 'texts'>> & { readonly seed?: number } = {},
): Promise<string> {
  const checkpoint = await openCheckpoint(folder);
  const kept = [...requireArchitecture(checkpoint).layers.keys()].filter((block) => !removed.includes(block));
  const contents = { removed, method: 'refit', texts, facts: { tokens: 640 }, adapter, keys: healedKeys(kept) };
  const writer = await PatchWriter.create(path, checkpoint, contents);
  for (const [key, values] of await randomCorrections(checkpoint, kept, seed)) await writer.add(key, values);
  return writer.finish();
}
