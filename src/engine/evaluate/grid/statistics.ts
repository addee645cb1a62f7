/** Statistics of a cell's runs, as the paper takes them. Pure. */

/** Mean and deviation of some runs. */
export interface MeanSd {
  readonly mean: number;
  /** Population standard deviation: over n, not n − 1. */
  readonly sd: number;
}

/** @param values at least one */
export function meanSd(values: readonly number[]): MeanSd {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  return { mean, sd: Math.sqrt(variance) };
}

/** The mean of M · L / T over the runs, in tokens a second: input tokens do not count, reading them does. */
export const throughputOf = (seconds: readonly number[], tokens: number): MeanSd =>
  meanSd(seconds.map((each) => tokens / each));

/** From this difference on, a machine is too noisy. */
const NOISY = 0.03;

/**
 * By how much the mean of M · L / T exceeds M · L / mean(T), as a share. It is never below 0 (Jensen's inequality), and
 * grows with the spread of T.
 */
export function jensenGap(seconds: readonly number[]): number {
  const mean = meanSd(seconds).mean;
  return throughputOf(seconds, 1).mean * mean - 1;
}

/** Whether the runs of a cell differ so much that their mean says little. */
export const isNoisy = (seconds: readonly number[]): boolean => jensenGap(seconds) > NOISY;

/** From this change of a rate on, the machine was throttled or shared. */
const DRIFT = 0.1;

/** The change of a rate from before a measurement to after it, as a share of the first: −0.2 is a fifth less. */
export const driftOf = (before: number, after: number): number => after / before - 1;

export const hasDrifted = (before: number, after: number): boolean => Math.abs(driftOf(before, after)) > DRIFT;
