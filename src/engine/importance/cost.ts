/**
 * What the criteria cost for each row of calibration tokens, in applications of a block to a row. Progress counts in
 * it, and estimates are made from it. Pure: it loads nothing that computes.
 */
import type { Architecture } from '../checkpoint/architecture';
import { BACKWARD_WORK, HEAD_GRADIENT_WORK, headWork } from '../model/cost';
import type { Criterion } from './criterion';

/**
 * A perplexity sweep.
 * @param steps of the model
 * @param candidates indices of the steps that are left out, one a variant
 */
export function sweepWork(architecture: Architecture, steps: number, candidates: readonly number[]): number {
  const blocks = steps + candidates.reduce((n, k) => n + steps - 1 - k, 0);
  return blocks + headWork(architecture) * (candidates.length + 1);
}

/** Taylor scores: forward through `steps`, the gradient of the loss, and back. */
export function taylorWork(architecture: Architecture, steps: number): number {
  return steps * (1 + BACKWARD_WORK) + headWork(architecture) * HEAD_GRADIENT_WORK;
}

/**
 * The rounds of a greedy run, each a sweep: the model is a step shorter every time, and has a candidate less. Which
 * ones will be gone is not known before; the first ones are taken to stay.
 * @param candidates indices of the steps that may go
 * @param count removals wanted
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
  /** Blocks that a greedy run does not try. */
  readonly kept?: ReadonlySet<number>;
}

/** A criterion over the whole model; 0 for those that run nothing. */
export function criterionWork(
  architecture: Architecture,
  criterion: Criterion,
  { count = 0, kept }: Scope = {},
): number {
  const { blocks } = architecture;
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
