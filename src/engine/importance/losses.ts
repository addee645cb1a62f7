/** Token losses summed up: mean, perplexity, rows, and how sure the few rows make us. */
import { Random } from '../random';

export interface LossSummary {
  /** exp(meanNll): mean over tokens, not over rows (spec §1.4). */
  readonly ppl: number;
  /** Mean token loss in nats. */
  readonly meanNll: number;
  /** Tokens scored. */
  readonly tokens: number;
  /** Mean token loss of each row. */
  readonly rows: readonly number[];
}

/** @param losses (rows · perRow) in nats */
export function summariseLosses(losses: Float64Array, perRow: number): LossSummary {
  const rows: number[] = [];
  for (let at = 0; at < losses.length; at += perRow) rows.push(mean(losses.subarray(at, at + perRow)));
  const meanNll = mean(rows); // rows are of one length
  return { ppl: Math.exp(meanNll), meanNll, tokens: losses.length, rows };
}

export interface Interval {
  readonly low: number;
  readonly high: number;
}

const RESAMPLES = 1000;

/**
 * 95 % bootstrap interval of the perplexity: rows drawn with replacement, as often as there are rows, 1 000 times.
 * The same seed draws the same rows, so intervals of different blocks can be compared.
 */
export function bootstrapPerplexity(rows: readonly number[], seed: number): Interval {
  const random = new Random(seed);
  const means = Float64Array.from({ length: RESAMPLES }, () => {
    let sum = 0;
    for (const _ of rows) sum += rows[random.below(rows.length)];
    return sum / rows.length;
  }).sort();
  const at = (quantile: number): number => Math.exp(means[Math.round(quantile * (RESAMPLES - 1))]);
  return { low: at(0.025), high: at(0.975) };
}

export function mean(values: readonly number[] | Float64Array): number {
  let sum = 0;
  for (const value of values) sum += value;
  return sum / values.length;
}
