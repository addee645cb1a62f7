/**
 * What can be told from noise, in one definition: 95 % intervals that hold for all parts of a model at once.
 *
 * Row r costs d_r more without a part than with it. Its rows are drawn at random, so the mean d̄ of n rows is off by
 * chance, by s / √n, where s is their deviation; (d̄ − δ) / (s / √n) has Student's distribution with n − 1 degrees of
 * freedom where differences are normal, and nearly so otherwise. An interval of d̄ ± t · s / √n misses the true δ with
 * the probability that t leaves outside.
 *
 * N blocks are compared with the whole model, and each of N intervals at 95 % may miss: of 12, one does in nearly half of all
 * texts. By Bonferroni's inequality the probability that any of them misses is at most the sum of what each misses, however
 * they depend on each other. So each may miss 5 % / N, and t is the quantile of 1 − 5 % / 2N. A part whose interval
 * excludes the whole model makes a difference; another one is hardly told from noise. With the same probability of 95 %, no
 * such sentence about any part is wrong.
 *
 * Bootstrap intervals of ten rows cannot serve: the mean of resampled rows has too small a variance by (n − 1) / n, normal
 * quantiles in place of Student's, and no value beyond the largest row.
 */
import { studentQuantile } from './student';

/** Probability that any of the intervals misses. */
const MISSES = 0.05;
/** Half of a 95 % interval in standard errors, of a normal distribution. */
const NORMAL_95 = 1.959963984540054;

/** From so many rows on, the distribution is normal. */
const MANY = 1e6;

/** All blocks of a model have the same reach. */
const reaches = new Map<string, number>();

/** How many standard errors reach to the end of one of `parts` intervals; infinite without degrees of freedom. */
export function jointReach(freedom: number, parts: number): number {
  if (freedom < 1) return Infinity;
  const key = `${freedom} ${parts}`;
  const found = reaches.get(key) ?? studentQuantile(1 - MISSES / (2 * parts), freedom);
  reaches.set(key, found);
  return found;
}

/** @param rows values that the mean is of, at least 2 */
const reach = (rows: number, parts: number): number => jointReach(rows - 1, parts);

/**
 * Half the width of the interval of the mean, one of `parts` that hold at once. Infinite for one value, which says nothing
 * about others; NaN if a value is.
 */
export function jointHalfWidth(differences: readonly number[], parts: number): number {
  const n = differences.length;
  if (n < 2) return n === 1 && Number.isNaN(differences[0]) ? NaN : Infinity;
  const mean = differences.reduce((sum, each) => sum + each, 0) / n;
  const squares = differences.reduce((sum, each) => sum + (each - mean) ** 2, 0);
  if (squares === 0) return 0;
  return reach(n, parts) * Math.sqrt(squares / (n - 1) / n);
}

/**
 * The same from a 95 % bootstrap interval, for records of before. It is as wide as a normal distribution with the deviation
 * over n in place of n − 1. @param rows Infinity if it is not known
 */
export function jointFromBootstrap(width: number, rows: number, parts: number): number {
  if (rows < 2) return Infinity;
  if (!(width > 0)) return width;
  const known = Math.min(rows, MANY);
  return (reach(known, parts) * width * Math.sqrt(known / (known - 1))) / (2 * NORMAL_95);
}
