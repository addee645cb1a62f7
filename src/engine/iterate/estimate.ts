/**
 * Estimated work of the rounds of an iterative pruning, before they start: floating-point operations, weighted with how
 * much slower than plain products each part is. Pure: it loads nothing that computes.
 */
import { type Architecture, withLayers } from '../checkpoint/architecture';
import type { HealMethod } from '../heal/methods';
import { type Criterion, criterionInfo } from '../importance/criteria';
import {
  evaluationFlops,
  GRADIENT_SPEED,
  HEALING_SPEED,
  healingFlops,
  type RowShape,
  scoringFlops,
} from '../importance/estimate';
import type { Objective } from '../importance/objective';
import { passesOf } from '../retrain/amounts';

/** How each round heals. */
export type RoundHealing =
  | { readonly kind: 'none' }
  /** Rows that are trained on in a round, each as often as it is read, whether every weight is, and rows of its evaluations. */
  | { readonly kind: 'trained'; readonly shape: RowShape; readonly full: boolean; readonly evaluated?: number }
  | { readonly kind: 'closed'; readonly method: HealMethod; readonly shape: RowShape; readonly heldOut: number };

export interface IterateWork {
  readonly criterion: Criterion;
  readonly objective?: Objective;
  /** Blocks that are never removed. */
  readonly kept: ReadonlySet<number>;
  /** Rows that are scored, and rows that are measured. */
  readonly scored: RowShape;
  readonly measured: RowShape;
  readonly healing: RoundHealing;
}

/** Operations of a round, as if all were plain products. */
export interface RoundWork {
  readonly scoring: number;
  readonly healing: number;
  readonly measuring: number;
}

/** The work of the rounds 1 … `count`. */
export function roundsWork(architecture: Architecture, work: IterateWork, count: number): RoundWork[] {
  return Array.from({ length: count }, (_, r) => {
    const before = shortened(architecture, r);
    const after = shortened(architecture, r + 1);
    const measured = evaluationFlops(after, work.measured);
    return {
      scoring: scoringWork(before, work),
      healing: healingWork(architecture, after, work, r + 1),
      measuring: 2 * measured,
    };
  });
}

/** Operations of a round in total. */
export const totalWork = ({ scoring, healing, measuring }: RoundWork): number => scoring + healing + measuring;

/** Operations of measuring the unpruned model before the first round, which tells the speed of this machine. */
export const startWork = (architecture: Architecture, { measured }: Pick<IterateWork, 'measured'>): number =>
  2 * evaluationFlops(architecture, measured);

/** The model without `gone` of its blocks, whichever. */
function shortened(architecture: Architecture, gone: number): Architecture {
  const blocks = architecture.layers.length - gone;
  return withLayers(
    architecture,
    Array.from({ length: blocks }, (_, block) => block),
  );
}

function scoringWork(model: Architecture, { criterion, objective, kept, scored }: IterateWork): number {
  const { effort } = criterionInfo(criterion);
  if (effort === 'none') return 0;
  const scope = { count: 1, kept: new Set([...kept].filter((block) => block < model.layers.length)), objective };
  const flops = scoringFlops(model, criterion, scored, scope);
  return effort === 'gradients' ? flops / GRADIENT_SPEED : flops;
}

function healingWork(whole: Architecture, after: Architecture, { healing, kept }: IterateWork, gone: number): number {
  if (healing.kind === 'none') return 0;
  if (healing.kind === 'trained') {
    const { shape, full, evaluated = 0 } = healing;
    const passes = evaluationFlops(after, { ...shape, rows: passesOf(shape.rows, full) + evaluated });
    return passes / GRADIENT_SPEED;
  }
  const free = [...whole.layers.keys()].filter((block) => !kept.has(block));
  // Which blocks go is not known before: they are taken to be spread evenly.
  const removed = Array.from({ length: gone }, (_, i) => free[Math.floor(((i + 0.5) * free.length) / gone)]);
  const { method, shape, heldOut } = healing;
  return healingFlops(whole, removed, shape, { method, heldOut }) / HEALING_SPEED;
}
