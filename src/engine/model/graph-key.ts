/** Which steps of a model can share a graph with fed weights and positions. */
import type { Architecture } from '../checkpoint/architecture';
import { pairsOf } from './rotary';
import type { Step } from './view';

/**
 * Names the step's graph with plain attention: equal for steps of the same modules and shapes. Windows and the angles of
 * rotations are feeds and may differ.
 */
export function graphKey({ layers }: Architecture, { block, attention, ffn }: Step): string {
  const layer = layers[block];
  const { heads, kvHeads, headDim, ffn: width, rope, biases, qkNorm, fused } = layer;
  const turning = rope ? pairsOf(layer) : 0;
  return [attention, ffn, heads, kvHeads, headDim, width, turning, biases.join(','), qkNorm, fused].join(' ');
}
