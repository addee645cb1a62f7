/** Identifies a checkpoint for plans and scores. */
import { isQuantisedGguf } from '../engine/checkpoint/gguf/name';
import type { Checkpoint } from '../engine/checkpoint/types';
import type { PlanSubject } from './plan';

/** Returns undefined for a checkpoint that can only be inspected, which has no plan. */
export function subjectOf(path: string, checkpoint: Checkpoint): PlanSubject | undefined {
  const blocks = checkpoint.architecture?.layers.length;
  if (blocks === undefined) return undefined;
  return { path, identity: checkpoint.identity, blocks, ...(isQuantisedGguf(checkpoint) && { quantised: true }) };
}
