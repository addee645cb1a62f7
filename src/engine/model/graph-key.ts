/** Which steps of a model can share a graph with fed weights and positions. */
import type { Architecture } from '../checkpoint/architecture';
import type { Step } from './view';

/**
 * Names the step's graph with plain attention: equal for steps of the same modules and shapes. Windows and the angles of
 * rotations are feeds and may differ.
 */
export function graphKey({ layers }: Architecture, { block, attention, ffn }: Step): string {
  const { heads, kvHeads, headDim, ffn: width, rope, biases, qkNorm } = layers[block];
  return [attention, ffn, heads, kvHeads, headDim, width, rope !== null, biases.join(','), qkNorm].join(' ');
}
