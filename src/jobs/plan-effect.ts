/** The result of a plan: blocks, parameters, bytes and estimated speed. */
import type { Checkpoint } from '../engine/checkpoint/types';
import { checkpointReduction, type Reduction } from '../engine/checkpoint/reduction';
import { type Architecture, withoutLayers } from '../engine/checkpoint/architecture';
import { parametersReadOf } from '../engine/checkpoint/parameters';
import { requireArchitecture } from '../engine/checkpoint/open';

export interface PlanEffect extends Reduction {
  /** Speed relative to the whole model, by `estimatedSpeedup`. */
  readonly speedup: number;
}

/** @throws UserError when the checkpoint can only be inspected */
export function planEffect(checkpoint: Checkpoint, removed: readonly number[]): PlanEffect {
  return {
    ...checkpointReduction(checkpoint, removed),
    speedup: estimatedSpeedup(requireArchitecture(checkpoint), removed),
  };
}

/**
 * Estimates the speed of decoding relative to the whole model. Decoding a token reads every weight once, but only one
 * row of the embedding, so time is proportional to the parameters that are read. A depth-pruned model therefore gains
 * exactly the share of its removed blocks (Kim et al. 2024, §4.3). Attention over long texts and overheads are
 * ignored.
 */
export function estimatedSpeedup(architecture: Architecture, removed: readonly number[]): number {
  return parametersReadOf(architecture) / parametersReadOf(withoutLayers(architecture, removed));
}
