/** How much memory the experts of a block may take while a forward pass computes them. Pure arithmetic; it loads nothing that computes. */
import type { Architecture } from '../checkpoint/architecture';
import { expertLinear } from '../checkpoint/kinds/experts';
import { elements } from '../checkpoint/parameters';
import { weightOf } from '../checkpoint/weight-key';

export interface ExpertMemory {
  /** Bytes of a group of experts in float32. */
  readonly group: number;
  /**
   * Up to this many bytes all groups of a block stay open. Where they do not, as much holds what lies between router and experts,
   * so that a group is opened once for many tokens.
   */
  readonly kept: number;
}

/** Larger groups are no faster. */
const LARGEST_GROUP = 256 * 2 ** 20;

/** @param memory the budget for hidden states, in bytes; the experts of a block may take as much beside them */
export const expertMemory = (memory: number): ExpertMemory => ({
  group: Math.min(LARGEST_GROUP, memory / 4),
  kept: memory,
});

/** Bytes of an expert in float32. */
export function expertBytes(architecture: Architecture, layer: number): number {
  const matrix = (name: 'gate' | 'up' | 'down'): number =>
    elements(weightOf(architecture, { layer, name: expertLinear(0, name) })!.shape);
  return 4 * (matrix('gate') + matrix('up') + matrix('down'));
}
