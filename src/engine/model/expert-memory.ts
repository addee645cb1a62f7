/** How much memory the experts of a block may take while a forward pass computes them. */

export interface ExpertMemory {
  /** Bytes of a group of experts in float32. */
  readonly group: number;
  /** Up to this many bytes all groups of a block stay open. */
  readonly kept: number;
}

export const EXPERT_MEMORY: ExpertMemory = { group: 256 * 2 ** 20, kept: 2 ** 30 };
