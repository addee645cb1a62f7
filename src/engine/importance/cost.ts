/**
 * Cost of the criteria for each row of calibration tokens, in applications of a block to a row. Progress and estimates
 * use it. Pure: it loads nothing that computes.
 */
import type { Architecture } from '../checkpoint/architecture';
import type { Objective } from './objective';
import { meanLayerParameters } from '../checkpoint/parameters';
import { BACKWARD_WORK, HEAD_GRADIENT_WORK, headWork } from '../model/cost';

/** What one application of the model's k-th step costs; 1 for a mean block. */
export type StepCost = (k: number) => number;

/** Counts applications, whatever the blocks are like. */
export const each: StepCost = () => 1;

/**
 * Cost of a perplexity sweep.
 * @param steps of the model
 * @param candidates indices of the steps that are left out, one per variant
 */
export function sweepWork(
  architecture: Architecture,
  steps: number,
  candidates: readonly number[],
  cost: StepCost = each,
): number {
  // The whole model passes through every step, and so does each variant after the step that it lacks.
  const starting = new Float64Array(steps);
  for (const k of candidates) starting[k]++;
  let passes = 1;
  const blocks = sum(steps, (k) => {
    const here = cost(k) * passes;
    passes += starting[k];
    return here;
  });
  return blocks + headWork(architecture) * (candidates.length + 1);
}

/** Cost of a sweep that also compares every model with a teacher, whose last states are known. */
export const comparisonSweepWork = (...[architecture, ...sweep]: Parameters<typeof sweepWork>): number =>
  sweepWork(architecture, ...sweep) + headWork(architecture);

/** Cost of `count` steps. */
export const sum = (count: number, of: (k: number) => number): number =>
  Array.from({ length: count }, (_, k) => of(k)).reduce((a, b) => a + b, 0);

/** Cost of Taylor scores: forward through `steps`, the gradient of the loss, and backward. */
export function taylorWork(architecture: Architecture, steps: number, cost: StepCost = each): number {
  return sum(steps, cost) * (1 + BACKWARD_WORK) + headWork(architecture) * HEAD_GRADIENT_WORK;
}

/**
 * Cost of the rounds of a greedy run, each a sweep; by divergence, the last states of the teacher come first. In every round the model has one step and one candidate less. The
 * removed blocks are not known in advance, so the last candidates are assumed to go first.
 * @param candidates indices of the steps that may be removed
 * @param count requested removals
 */
export function greedyWork(
  architecture: Architecture,
  steps: number,
  candidates: readonly number[],
  count: number,
  objective: Objective = 'ppl',
  cost: StepCost = each,
): number[] {
  const sweep = objective === 'kl' ? comparisonSweepWork : sweepWork;
  const rounds = Array.from({ length: Math.min(count, candidates.length) }, (_, round) => {
    const left = steps - round;
    const open = candidates.slice(0, candidates.length - round).map((k) => Math.min(k, left - 1));
    return sweep(architecture, left, open, cost);
  });
  return objective === 'kl' ? [sum(steps, cost), ...rounds] : rounds;
}

/**
 * Cost of a fold: half of a symmetric matrix of products, products with what is wanted, and the correction of the
 * stream, each as large as a product with a (hidden, hidden) weight.
 */
export const foldWork = (architecture: Architecture): number =>
  (2.5 * architecture.hidden ** 2) / meanLayerParameters(architecture);

/** A greedy run that heals every variant: the dense stream, and for each round the choice of candidates and the sweep. */
export interface HealedWork {
  readonly dense: number;
  readonly rounds: readonly { readonly choosing: number; readonly measuring: number }[];
}

/**
 * How many of the candidates of a round are measured: those whose folds leave least of the dense stream. The best after
 * healing was among the first four of 29 and three of 11 in every round that was tried (ARCHITECTURE.md).
 */
export const shortlistSize = (open: number): number => Math.min(open, Math.max(4, Math.ceil(open / 3)));

/**
 * Cost of a greedy run that heals every variant. Removals are assumed to be apart from each other: then each has a fold
 * of its own.
 * @param candidates indices of the steps that may be removed
 * @param count requested removals
 */
export function healedWork(
  architecture: Architecture,
  steps: number,
  candidates: readonly number[],
  count: number,
  cost: StepCost = each,
): HealedWork {
  const fold = foldWork(architecture);
  const rounds = Array.from({ length: Math.min(count, candidates.length) }, (_, round) => {
    const left = steps - round;
    const open = candidates.length - round;
    const some = shortlistSize(open);
    // Which ones is not known in advance: they are taken to be spread evenly.
    const measured = Array.from({ length: some }, (__, i) =>
      Math.min(left - 1, candidates[Math.floor((i * open) / some)]),
    );
    // A variant has its own fold, and those of earlier removals that come after it: half of them.
    const folds = some + round * (1 + some / 2);
    return {
      choosing: some === open ? 0 : sum(left, cost) + fold * (open + round),
      measuring: comparisonSweepWork(architecture, left, measured, cost) + fold * folds,
    };
  });
  return { dense: sum(steps, cost), rounds };
}

export interface Scope {
  /** Blocks to remove, for a criterion that chooses a number of them. */
  readonly count?: number;
  /** Blocks that it must not try. */
  readonly kept?: ReadonlySet<number>;
  /** What it keeps low; the criterion's default when undefined. */
  readonly objective?: Objective;
}
