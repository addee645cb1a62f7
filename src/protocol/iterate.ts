/** Iterative pruning: what the job reports. */
import type { HealNumbers } from '../jobs/results/common';

/** Before the first round: how long each will take, from the speed of measuring the unpruned model. */
export interface IteratePlanEvent {
  readonly type: 'plan';
  readonly rounds: readonly { readonly round: number; readonly seconds: number }[];
  /** Of all rounds, and of the one-shot removal. */
  readonly seconds: number;
  /** Rounds that an earlier run has finished. */
  readonly finished: number;
}

/** After each round. */
export interface IterateRoundEvent {
  readonly type: 'round';
  readonly round: number;
  readonly block: number;
  readonly removed: readonly number[];
  readonly pruned: HealNumbers;
  readonly healed: HealNumbers;
  readonly seconds: number;
}

/** What an iterative pruning tells while it runs. */
export type IterateEvent = IteratePlanEvent | IterateRoundEvent;
