/** Iterative pruning: what the job reports and returns. */
import type { Precision } from '../engine/precision';
import type { JsonNumber } from '../format/json';
import type { Ending } from '../engine/iterate/result';
import type { IterativeMethod } from '../engine/iterate/methods';
import type { HealNumbers } from './heal';
import type { WrittenCheckpoint } from './jobs';

/** What healing brought back. */
export interface RecoveryNumbers {
  /** Mean loss of the pruned model − mean loss of the healed one, in nats. */
  readonly nll: JsonNumber;
  /** The same as a share of what is missing to the unpruned model; null where nothing is missing. */
  readonly share: JsonNumber | null;
  /** Both for each second of training; null where none was spent. */
  readonly nllPerSecond: JsonNumber | null;
  readonly sharePerSecond: JsonNumber | null;
}

/** A model before and after healing, on the measured rows. */
export interface HealedPointInfo {
  readonly removed: readonly number[];
  readonly pruned: HealNumbers;
  readonly healed: HealNumbers;
  readonly recovery: RecoveryNumbers;
  readonly trainingSeconds: number;
  readonly steps: number;
  readonly weights: 'healed' | 'plain';
  readonly trace: readonly {
    readonly step: number;
    readonly loss: JsonNumber;
    readonly lr: number;
    readonly gradNorm: JsonNumber;
    readonly tokensPerSecond: JsonNumber;
  }[];
}

/** A round: one block goes, and the rest is healed. */
export interface IterativeRoundInfo extends HealedPointInfo {
  readonly round: number;
  readonly block: number;
  readonly score: JsonNumber;
  readonly scores: readonly {
    readonly block: number;
    readonly score: JsonNumber;
    readonly meanNll?: JsonNumber;
    readonly kl?: JsonNumber;
  }[];
  readonly accuracy?: JsonNumber;
  readonly seconds: number;
}

/** So many blocks removed at once, and healed with the training of as many rounds. */
export interface OneShotInfo extends HealedPointInfo {
  readonly count: number;
}

/** An iterative pruning: its rounds, and what was written. */
export interface IterateResult extends WrittenCheckpoint {
  readonly model: { readonly name: string; readonly path: string; readonly identity: string };
  readonly criterion: string;
  readonly method: IterativeMethod;
  /** What was measured. */
  readonly text: { readonly name: string; readonly sha256: string; readonly rows: number; readonly length: number };
  /** The unpruned model. */
  readonly full: HealNumbers;
  readonly rounds: readonly IterativeRoundInfo[];
  /** The round that went beyond a limit, and is no part of the result. */
  readonly beyond?: IterativeRoundInfo;
  readonly ended: Ending;
  /** The original weights without the blocks of the first 1, 2, … rounds. */
  readonly plain: readonly HealNumbers[];
  readonly recovery: RecoveryNumbers;
  /** Blocks removed at once, by count; empty if that was not asked for. */
  readonly oneShot: readonly OneShotInfo[];
  readonly slices: readonly (readonly [number, number])[];
  readonly device: string;
  readonly precision: Precision;
}

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
