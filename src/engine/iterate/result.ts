/** Results of an iterative pruning: what each round removed, what that cost, and what healing brought back. */
import type { Likeness } from '../heal/result';
import type { Reduction } from '../checkpoint/reduction';
import type { StepSummary } from '../retrain/report';
import type { LeftBehind } from '../checkpoint/accompanying-files';
import type { Precision } from '../precision';
import type { Answered } from './goal';
import type { IterativeMethod } from './methods';

/** A candidate of a round. */
export interface ScoredBlock {
  /** By its number in the whole model. */
  readonly block: number;
  readonly score: number;
  /** Mean loss, and divergence from the unpruned model, without it; of criteria that measure them. */
  readonly meanNll?: number;
  readonly kl?: number;
}

/** What healing took. */
export interface HealingCost {
  /** Seconds of training, or of the closed form. */
  readonly trainingSeconds: number;
  /** Steps of the optimiser; 0 for the closed forms. */
  readonly steps: number;
  /** The losses of the steps; empty for the closed forms. */
  readonly trace: readonly StepSummary[];
  /** Whether the healed weights are used: a closed form that brings nothing on rows held out keeps the weights before. */
  readonly weights: 'healed' | 'plain';
}

/** What healing brought back. */
export interface Recovery {
  /** Mean loss of the pruned model − mean loss of the healed one, in nats. */
  readonly nll: number;
  /** The same as a share of what is missing to the unpruned model; null where nothing is missing. */
  readonly share: number | null;
  /** Both for each second of training; null where none was spent. */
  readonly nllPerSecond: number | null;
  readonly sharePerSecond: number | null;
}

/** A model before and after healing, on the measured rows. */
export interface HealedPoint extends HealingCost {
  /** Blocks that are gone, ascending. */
  readonly removed: readonly number[];
  readonly pruned: Likeness;
  readonly healed: Likeness;
  readonly recovery: Recovery;
}

/** A round: one block goes, and the rest is healed. */
export interface IterativeRound extends HealedPoint, Answered {
  /** 1, 2, … */
  readonly round: number;
  readonly block: number;
  /** Its score, and those of all blocks that were scored in this round. */
  readonly score: number;
  readonly scores: readonly ScoredBlock[];
  /** Of the whole round. */
  readonly seconds: number;
}

/** So many blocks removed at once, by the scores of the first round, and healed with the training of as many rounds. */
export interface OneShotPoint extends HealedPoint {
  readonly count: number;
}

/** Why no further block was removed. */
export type Ending = 'count' | 'limit' | 'blocks';

/** What a run has found, before its result is written. */
export interface IterativeOutcome {
  /** The unpruned model on the measured rows. */
  readonly full: Likeness;
  readonly rounds: readonly IterativeRound[];
  /** The round that went beyond a limit, and is no part of the result. */
  readonly beyond?: IterativeRound;
  readonly ended: Ending;
  /** The original weights without the blocks of the first 1, 2, … rounds: the same choice before any healing. */
  readonly plain: readonly Likeness[];
  /** What all healing brought back: the last of `plain` against the result. */
  readonly recovery: Recovery;
  /** Ascending by count; empty if it was not asked for. */
  readonly oneShot: readonly OneShotPoint[];
}

/** The result as JSON and record have it. */
export interface IterateSummary extends IterativeOutcome, Reduction {
  readonly model: { readonly name: string; readonly path: string; readonly identity: string };
  readonly criterion: string;
  readonly method: IterativeMethod;
  /** What was measured. */
  readonly text: { readonly name: string; readonly sha256: string; readonly rows: number; readonly length: number };
  /** Absolute. */
  readonly out: string;
  readonly leftBehind: readonly LeftBehind[];
  readonly seconds: number;
  readonly device: string;
  readonly precision: Precision;
}

/**
 * What healing brought back.
 * @param full, pruned, healed mean losses on the same rows, in nats
 * @param seconds of training
 */
export function recoveryOf(full: number, pruned: number, healed: number, seconds: number): Recovery {
  const nll = pruned - healed;
  const missing = pruned - full;
  const share = missing > 0 ? nll / missing : null;
  const each = (value: number | null): number | null => (value !== null && seconds > 0 ? value / seconds : null);
  return { nll, share, nllPerSecond: each(nll), sharePerSecond: each(share) };
}
