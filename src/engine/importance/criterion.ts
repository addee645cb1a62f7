/** The criteria by name, and what each needs. Pure: whoever only shows or offers them loads nothing that computes. */

export const CRITERIA = ['ppl', 'taylor', 'magnitude', 'block-influence', 'angular', 'greedy', 'deepest'] as const;
export type Criterion = (typeof CRITERIA)[number];

/** How to score; a criterion ignores what is not its own. */
export interface CriterionSettings {
  /** Path of the calibration text. */
  readonly calibration?: string;
  /** Rows, tokens a row, and the seed of their drawing, as `CalibrationOptions` has them. */
  readonly samples?: number;
  readonly length?: number;
  readonly seed: number;
  /** Of magnitude. */
  readonly norm: 'l1' | 'l2';
  readonly reduction: 'sum' | 'mean' | 'max' | 'product';
}

/** Whether the criterion runs the model over a text. */
export const needsCalibration = (criterion: Criterion): boolean => criterion !== 'magnitude' && criterion !== 'deepest';

/** Whether the criterion looks at the stored weights, which an adapter on top leaves as they are. */
export const readsWeights = (criterion: Criterion): boolean => criterion === 'magnitude' || criterion === 'taylor';
