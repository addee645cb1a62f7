/** Identifies a checkpoint for plans and scores. */
import { isQuantizedGguf } from '../engine/checkpoint/gguf/name';
import type { Checkpoint } from '../engine/checkpoint/types';
import { healable } from '../engine/heal/healable';
import type { PlanSubject } from './plan';

/** Returns undefined for a checkpoint that can only be inspected, which has no plan. */
export function subjectOf(path: string, checkpoint: Checkpoint): PlanSubject | undefined {
  const { architecture, identity } = checkpoint;
  if (architecture === undefined) return undefined;
  const quantized = isQuantizedGguf(checkpoint) && ({ quantized: healable(architecture) ? 'healable' : true } as const);
  return { path, identity, blocks: architecture.layers.length, ...quantized };
}
