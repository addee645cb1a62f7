/** What a criterion is: what lists, help and estimates say of it, and how it scores. */
import type { Architecture } from '../checkpoint/architecture';
import type { TokenRows } from '../model/forward';
import type { Model } from '../model/model';
import type { View } from '../model/view';
import type { JobOptions } from '../progress';
import type { WeightSource } from '../weights/source';
import type { Scope, StepCost } from './cost';
import type { CriterionResult } from './result';

/** A criterion in the list (criteria.ts). Data and arithmetic: showing it loads nothing that computes. */
export interface CriterionInfo {
  /** At the command line and in records; its file in the folder "criteria" has the same name. */
  readonly name: string;
  /** In lists and charts. */
  readonly title: string;
  /** What its score is and who published it: a line of the help and of the editor's lists. */
  readonly help: string;
  /**
   * What it reads: "text" where it runs the model over calibration rows, "weights" where it reads the stored weights, which
   * an adapter on top does not change.
   */
  readonly reads: readonly ('text' | 'weights')[];
  /** What takes its time: estimates compare runs of one kind. */
  readonly effort: 'products' | 'gradients' | 'reading' | 'none';
  /** Applications of a block for each calibration row, each at its cost; undefined where the model does not run. */
  readonly work?: (architecture: Architecture, scope: Scope, cost: StepCost) => number;
}

/** Scoring settings. A criterion ignores the settings of the others. */
export interface CriterionSettings {
  /** Path of the calibration text. */
  readonly calibration?: string;
  /** Rows, tokens per row, and the sampling seed, as in `CalibrationOptions`. */
  readonly samples?: number;
  readonly length?: number;
  readonly seed: number;
  /** For magnitude. */
  readonly norm: 'l1' | 'l2';
  readonly reduction: 'sum' | 'mean' | 'max' | 'product';
}

/** What of the model is scored, and how far. */
export interface ScoringScope extends Scope {
  /** The whole model when undefined. */
  readonly view?: View;
  /** Of ppl. */
  readonly granularity?: 'block' | 'module';
}

/**
 * Scores a model over calibration rows, all of one length.
 * @throws UserError, CancelledError
 */
export type ScoreRows = (
  model: Model,
  rows: TokenRows,
  scope: ScoringScope & { readonly seed: number },
  job: JobOptions,
) => Promise<CriterionResult>;

/** Scores that need no text. */
export interface StoredScores {
  readonly blocks: readonly { readonly index: number; readonly score: number }[];
  /** Its own settings, for the record. */
  readonly settings: Readonly<Record<string, unknown>>;
  /** What the blocks' scores are the sums of, where they are sums: tensors by their full names. */
  readonly tensors?: readonly { readonly name: string; readonly score: number }[];
}

/** Scores every block without running the model. @throws UserError, CancelledError */
export type ScoreStored = (
  weights: WeightSource,
  settings: Pick<CriterionSettings, 'norm' | 'reduction'>,
  job: JobOptions,
) => Promise<StoredScores>;

/** What a criterion's file exports: one of the two. */
export interface CriterionModule {
  readonly scoreRows?: ScoreRows;
  readonly scoreStored?: ScoreStored;
}
