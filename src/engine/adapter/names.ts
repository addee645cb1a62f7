/** The Linears that an adapter can have matrices for, and the names of these matrices. */
import type { LinearName } from '../checkpoint/architecture';

/** Every Linear of most models that can be adapted, in the order of the block. */
export const LINEAR_NAMES = ['q', 'k', 'v', 'o', 'gate', 'up', 'down'] as const satisfies readonly LinearName[];

/**
 * Names of targets as users write them: those of Linears, of the matrices of several (Phi-3), and of what stands in the place of
 * attention (LFM2).
 */
export const TARGET_NAMES = [...LINEAR_NAMES, 'qkv', 'gate_up', 'conv_in', 'conv_out'] as const;

export type TargetName = (typeof TARGET_NAMES)[number];

/** The targets of a model whose blocks have such matrices. */
export const FUSED_TARGETS: readonly TargetName[] = ['qkv', 'o', 'gate_up', 'down'];

/** The user's name of a Linear: its own with words apart. Experts are no targets. */
export const targetOf = (linear: LinearName): TargetName =>
  linear.replace(/[A-Z]/, (letter) => `_${letter.toLowerCase()}`) as TargetName;

/** The Linear of a user's name. */
export const linearOfTarget = (target: TargetName): LinearName =>
  target.replace(/_([a-z])/, (_, letter: string) => letter.toUpperCase()) as LinearName;

/** Name of a Linear's matrix in an adapter and among the feeds of a block. A: (rank, in), B: (out, rank). */
export function adapterName(linearName: LinearName, matrix: 'A' | 'B'): string {
  return `${linearName}.${matrix}`;
}
