/** A checkpoint as plans and scores know it. */
import type { Checkpoint } from '../engine/checkpoint/types';
import type { PlanSubject } from './plan';

/** Undefined for what can only be inspected: there is nothing to plan. */
export function subjectOf(path: string, checkpoint: Checkpoint): PlanSubject | undefined {
  const blocks = checkpoint.architecture?.layers.length;
  return blocks === undefined ? undefined : { path, identity: checkpoint.identity, blocks };
}
