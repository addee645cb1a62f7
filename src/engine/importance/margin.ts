/**
 * How far a screen may be from the exact numbers: its errors are known where both were computed. An error that all
 * models share (the shift) says nothing about their order, so what counts is how far single errors are from it.
 *
 * The margin is a bound for one more error of the same kind: that of Student's prediction interval at 99.9 % on one side.
 * It is wide while few errors are known. Rounding can be off by more than a normal distribution has it, so the margin is
 * at least twice the largest error that was seen.
 */

/** One-sided 99.9 % quantiles of Student's t, by degrees of freedom up to the next line. */
const QUANTILES: readonly (readonly [freedom: number, t: number])[] = [
  [1, 318.31],
  [2, 22.327],
  [3, 10.215],
  [4, 7.173],
  [5, 5.893],
  [6, 5.208],
  [7, 4.785],
  [8, 4.501],
  [9, 4.297],
  [10, 4.144],
  [12, 3.93],
  [15, 3.733],
  [20, 3.552],
  [30, 3.385],
  [60, 3.232],
];

/** Exact numbers are in float32 themselves: nearer than this, in nats, two numbers are not told apart. */
const LEAST_MARGIN = 1e-4;
const LARGEST_FACTOR = 2;

/** Errors around their shift, of one round or of several. */
export interface Spread {
  /** Sum of their squares. */
  readonly squares: number;
  /** Degrees of freedom: errors, less one for each shift. */
  readonly freedom: number;
  /** The largest, without its sign. */
  readonly largest: number;
}

export const NO_SPREAD: Spread = { squares: 0, freedom: 0, largest: 0 };

export interface Margin {
  /** Mean error: exact − screened, in nats. */
  readonly shift: number;
  /** An exact number is that far from the screened one and the shift, at most; Infinity if too little is known. */
  readonly margin: number;
  /** These errors, and those of earlier rounds. */
  readonly spread: Spread;
}

/**
 * @param errors exact − screened, of models with finite screens; one that is not finite makes the margin infinite
 * @param earlier errors of other rounds, around their own shifts
 */
export function marginOf(errors: readonly number[], earlier: Spread = NO_SPREAD): Margin {
  const shift = errors.reduce((sum, error) => sum + error, 0) / errors.length;
  if (!Number.isFinite(shift)) return { shift, margin: Infinity, spread: earlier };
  const apart = errors.map((error) => error - shift);
  const spread = {
    squares: apart.reduce((sum, error) => sum + error * error, earlier.squares),
    freedom: earlier.freedom + errors.length - 1,
    largest: apart.reduce((most, error) => Math.max(most, Math.abs(error)), earlier.largest),
  };
  const { squares, freedom, largest } = spread;
  if (freedom === 0) return { shift, margin: Infinity, spread };
  const deviation = Math.sqrt((squares / freedom) * (1 + 1 / errors.length));
  const margin = Math.max(quantile(freedom) * deviation, LARGEST_FACTOR * largest, LEAST_MARGIN);
  return { shift, margin, spread };
}

/** Quantiles fall with the degrees of freedom, so that of fewer is on the safe side. */
const quantile = (freedom: number): number => QUANTILES.findLast(([known]) => known <= freedom)![1];
