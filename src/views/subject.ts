/** Identifies a checkpoint for plans and scores. */
import type { Checkpoint } from '../engine/checkpoint/types';
import type { PlanSubject } from './plan';

/** Returns undefined for a checkpoint that can only be inspected, which has no plan. */
export function subjectOf(path: string, checkpoint: Checkpoint): PlanSubject | undefined {
  const blocks = checkpoint.architecture?.layers.length;
  return blocks === undefined ? undefined : { path, identity: checkpoint.identity, blocks };
}
