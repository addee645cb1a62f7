/** The Linears that an adapter can have matrices for, and the names of these matrices. */
import type { LinearName } from '../checkpoint/architecture';

/** Every Linear that can be adapted, in the order of the block. */
export const LINEAR_NAMES = ['q', 'k', 'v', 'o', 'gate', 'up', 'down'] as const satisfies readonly LinearName[];

/** Name of a Linear's matrix in an adapter and among the feeds of a block. A: (rank, in), B: (out, rank). */
export function adapterName(linearName: LinearName, matrix: 'A' | 'B'): string {
  return `${linearName}.${matrix}`;
}
