/** The criteria by name, and the inputs of each. Pure: showing or offering criteria loads nothing that computes. */

export const CRITERIA = ['ppl', 'taylor', 'magnitude', 'block-influence', 'angular', 'greedy', 'deepest'] as const;
export type Criterion = (typeof CRITERIA)[number];

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

/** Whether the criterion runs the model over a text. */
export const needsCalibration = (criterion: Criterion): boolean => criterion !== 'magnitude' && criterion !== 'deepest';

/** Whether the criterion reads only the stored weights, which an adapter on top does not change. */
export const readsWeights = (criterion: Criterion): boolean => criterion === 'magnitude' || criterion === 'taylor';
