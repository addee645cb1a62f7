/**
 * Cost of the criteria for each row of calibration tokens, in applications of a block to a row. Progress and estimates
 * use it. Pure: it loads nothing that computes.
 */
import type { Architecture } from '../checkpoint/architecture';
import { BACKWARD_WORK, HEAD_GRADIENT_WORK, headWork } from '../model/cost';
import type { Criterion } from './criterion';

/**
 * Cost of a perplexity sweep.
 * @param steps of the model
 * @param candidates indices of the steps that are left out, one per variant
 */
export function sweepWork(architecture: Architecture, steps: number, candidates: readonly number[]): number {
  const blocks = steps + candidates.reduce((n, k) => n + steps - 1 - k, 0);
  return blocks + headWork(architecture) * (candidates.length + 1);
}

/** Cost of Taylor scores: forward through `steps`, the gradient of the loss, and backward. */
export function taylorWork(architecture: Architecture, steps: number): number {
  return steps * (1 + BACKWARD_WORK) + headWork(architecture) * HEAD_GRADIENT_WORK;
}

/**
 * Cost of the rounds of a greedy run, each a sweep. In every round the model has one step and one candidate less. The
 * removed blocks are not known in advance, so the last candidates are assumed to go first.
 * @param candidates indices of the steps that may be removed
 * @param count requested removals
 */
export function greedyWork(
  architecture: Architecture,
  steps: number,
  candidates: readonly number[],
  count: number,
): number[] {
  return Array.from({ length: Math.min(count, candidates.length) }, (_, round) => {
    const left = steps - round;
    const open = candidates.slice(0, candidates.length - round).map((k) => Math.min(k, left - 1));
    return sweepWork(architecture, left, open);
  });
}

export interface Scope {
  /** Removals of a greedy run. */
  readonly count?: number;
  /** Blocks that a greedy run must not try. */
  readonly kept?: ReadonlySet<number>;
}

/** Cost of a criterion over the whole model; 0 for criteria that run nothing. */
export function criterionWork(
  architecture: Architecture,
  criterion: Criterion,
  { count = 0, kept }: Scope = {},
): number {
  const blocks = architecture.layers.length;
  const all = Array.from({ length: blocks }, (_, block) => block);
  switch (criterion) {
    case 'ppl':
      return sweepWork(architecture, blocks, all);
    case 'taylor':
      return taylorWork(architecture, blocks);
    case 'block-influence':
    case 'angular':
      return blocks;
    case 'greedy': {
      const open = all.filter((block) => !kept?.has(block));
      return greedyWork(architecture, blocks, open, count).reduce((sum, round) => sum + round, 0);
    }
    case 'magnitude':
    case 'deepest':
      return 0;
  }
}
