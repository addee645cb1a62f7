/** What a plan amounts to: blocks, parameters, bytes, and about how much faster the model would write. */
import type { Checkpoint } from '../engine/checkpoint/types';
import { checkpointReduction, type Reduction } from '../engine/checkpoint/reduction';
import { withoutLayers } from '../engine/checkpoint/architecture';
import { parametersReadOf } from '../engine/checkpoint/parameters';
import { requireArchitecture } from '../engine/checkpoint/open';

export interface PlanEffect extends Reduction {
  /** Times as fast as the whole model, by `estimatedSpeedup`. */
  readonly speedup: number;
}

/** @throws UserError when the checkpoint can only be inspected */
export function planEffect(checkpoint: Checkpoint, removed: readonly number[]): PlanEffect {
  return { ...checkpointReduction(checkpoint, removed), speedup: estimatedSpeedup(checkpoint, removed) };
}

/**
 * Writing a token reads every weight once, but of the embedding only one row: time goes with the parameters that are
 * read. A depth-pruned model is faster by exactly what its blocks weigh, which is the point of pruning depth (Kim et
 * al. 2024, §4.3); attention over a long text and overheads are left out, so this is an estimate.
 */
export function estimatedSpeedup(checkpoint: Checkpoint, removed: readonly number[]): number {
  const architecture = requireArchitecture(checkpoint);
  return parametersReadOf(architecture) / parametersReadOf(withoutLayers(architecture, removed));
}
