/** The weights of a checkpoint, in whatever format it is. */
import { isGgufCheckpoint } from '../checkpoint/gguf/name';
import { requireArchitecture } from '../checkpoint/open';
import type { Checkpoint } from '../checkpoint/types';
import type { Seen } from '../files/regular-file';
import { GgufWeights } from './gguf';
import { SafetensorsWeights } from './safetensors';
import { Sliced } from './sliced';
import type { WeightSource } from './source';

/** Of a narrowed checkpoint, the parts that it keeps. @param seen is told what `read` reads of its files @throws UserError for a checkpoint that can only be inspected */
export function checkpointWeights(checkpoint: Checkpoint, seen?: Seen): WeightSource {
  const { narrowing, identity } = checkpoint;
  if (narrowing) return new Sliced(checkpointWeights(narrowing.from, seen), narrowing.width, identity);
  const Weights = isGgufCheckpoint(checkpoint) ? GgufWeights : SafetensorsWeights;
  return new Weights(checkpoint, requireArchitecture(checkpoint), seen);
}

/** Passes the weights of a checkpoint to `use`, and closes their files. @throws UserError like `checkpointWeights` */
export async function withWeights<T>(checkpoint: Checkpoint, use: (weights: WeightSource) => Promise<T>): Promise<T> {
  const weights = checkpointWeights(checkpoint);
  try {
    return await use(weights);
  } finally {
    await weights.close();
  }
}
