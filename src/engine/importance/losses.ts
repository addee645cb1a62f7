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

/** An interval beside another model over the same rows. */
export interface PairedInterval {
  readonly pairedLow: number;
  readonly pairedHigh: number;
}

const RESAMPLES = 1000;

/**
 * 95 % bootstrap interval of the perplexity: rows drawn with replacement, as often as there are rows, 1 000 times. It says
 * how far the perplexity varies from text to text, which all blocks have in common: to tell blocks from the whole model,
 * take `pairedPerplexity`.
 * @param seed the same one draws the same rows
 */
export function bootstrapPerplexity(rows: readonly number[], seed: number): Interval {
  const { low, high } = bootstrapMean(rows, seed);
  return { low: Math.exp(low), high: Math.exp(high) };
}

/**
 * 95 % paired bootstrap interval of the variant's perplexity: what the whole model has on these rows, times the interval
 * of exp(mean of the rows' differences in loss). How hard a row is cancels out of its difference, so what is left is what
 * the missing part costs. An interval that does not hold the whole model's perplexity tells the two apart.
 * @param variant, full of the same rows in the same order, which are of one length
 */
export function pairedPerplexity(
  variant: Pick<LossSummary, 'rows'>,
  full: Pick<LossSummary, 'rows' | 'ppl'>,
  seed: number,
): PairedInterval {
  const differences = variant.rows.map((loss, row) => loss - full.rows[row]);
  const { low, high } = bootstrapMean(differences, seed);
  return { pairedLow: full.ppl * Math.exp(low), pairedHigh: full.ppl * Math.exp(high) };
}

/** The 2.5 % and 97.5 % quantiles of the mean of values drawn with replacement. */
function bootstrapMean(values: readonly number[], seed: number): Interval {
  if (values.some((value) => Number.isNaN(value))) return { low: NaN, high: NaN };
  const random = new Random(seed);
  const means = Float64Array.from({ length: RESAMPLES }, () => {
    let sum = 0;
    for (const _ of values) sum += values[random.below(values.length)];
    return sum / values.length;
  }).sort();
  const at = (quantile: number): number => means[Math.round(quantile * (RESAMPLES - 1))];
  return { low: at(0.025), high: at(0.975) };
}

export function mean(values: readonly number[] | Float64Array): number {
  let sum = 0;
  for (const value of values) sum += value;
  return sum / values.length;
}
