/**
 * The held-out part: how much of the data it is, and which of its rows an evaluation takes. Evaluations steer the training and
 * are frequent, so a sample is enough. The sample is the same in every evaluation, and every file is represented in it.
 */
import { Random } from '../../random';
import type { Example } from './example';

/** Rows of an evaluation on the held-out part. */
const EVALUATION_ROWS = 64;

/**
 * Default number of records held out of `records`: a twentieth, and at most as many as an evaluation takes, because the
 * others are more useful for training. (The paper holds out 2 000 of 51 760.)
 */
export function defaultHeldOut(records: number): number {
  return records < 2 ? 0 : Math.min(EVALUATION_ROWS, Math.max(1, Math.round(records / 20)));
}

/** Rows of an evaluation, given the number of held-out rows. */
export const evaluationSize = (heldOut: number): number => Math.min(EVALUATION_ROWS, heldOut);

/** The rows of every evaluation: all of them, or a sample drawn with the seed, in the original order. */
export function evaluationRows(heldOut: readonly Example[], seed: number): readonly Example[] {
  if (heldOut.length <= EVALUATION_ROWS) return heldOut;
  const drawn = new Random(seed).shuffle(heldOut.map((_, i) => i)).slice(0, EVALUATION_ROWS);
  return drawn.sort((a, b) => a - b).map((i) => heldOut[i]);
}
