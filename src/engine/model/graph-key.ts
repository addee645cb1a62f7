/** Which steps of a model can share a graph with fed weights and positions. */
import type { Architecture } from '../checkpoint/architecture';
import { pairsOf } from './rotary';
import type { Step } from './view';

/**
 * Names the step's graph with plain attention: equal for steps of the same modules and shapes. Windows and the angles of
 * rotations are feeds and may differ.
 */
export function graphKey({ layers }: Architecture, { block, attention, ffn }: Step): string {
  const { mixer, ffn: own } = layers[block];
  const alike = mixer.kind === 'attention' ? { ...mixer, window: null, rope: mixer.rope ? pairsOf(mixer) : 0 } : mixer;
  return JSON.stringify([attention, ffn, alike, own]);
}
