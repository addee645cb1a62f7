/** Parameter arithmetic (spec §1.6, §1.16): exact counts from the architecture alone. Tied weights count once. */
import type { Architecture } from './architecture';
import { allWeights, blockWeights, type Weight } from './weight-names';

/** Elements of a weight. */
export function elements(shape: readonly number[]): number {
  return shape.reduce((product, dimension) => product * dimension, 1);
}

/** Parameters of one block: all blocks of a model have the same shapes. */
export function parametersOfBlock(architecture: Architecture): number {
  return sum(Object.values(blockWeights(architecture, 0)) as Weight[]);
}

/** Parameters of the whole model, or of what is left of it with `blocks` blocks. */
export function parametersOf(architecture: Architecture, blocks = architecture.blocks): number {
  return sum(allWeights({ ...architecture, blocks: 0 })) + blocks * parametersOfBlock(architecture);
}

/** Parameters that are read for a token: of an embedding that is no head as well, one row is. */
export function parametersReadOf(architecture: Architecture): number {
  const { tied, vocabulary, hidden } = architecture;
  return parametersOf(architecture) - (tied ? 0 : vocabulary * hidden);
}

function sum(weights: Iterable<Weight>): number {
  let total = 0;
  for (const { shape } of weights) total += elements(shape);
  return total;
}
