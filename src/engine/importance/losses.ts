/** Summary of token losses and divergences: means, perplexity, means of the rows, and confidence intervals. */
import { jointHalfWidth } from '../joint-interval';
import type { Comparison } from '../model/divergence';
import { Random } from '../random';

export interface LossSummary {
  /** exp(meanNll): the mean over tokens, not over rows, as in Shortened LLaMA's `src/anal_block_sensitivity_ppl.py`. */
  readonly ppl: number;
  /** Mean token loss in nats. */
  readonly meanNll: number;
  /** Tokens scored. */
  readonly tokens: number;
  /** Mean token loss of each row. */
  readonly rows: readonly number[];
}

/** Mean of the numbers of each row. @param values (rows · perRow) */
export function rowMeans(values: Float64Array, perRow: number): number[] {
  const rows: number[] = [];
  for (let at = 0; at < values.length; at += perRow) rows.push(mean(values.subarray(at, at + perRow)));
  return rows;
}

/** @param losses (rows · perRow) in nats */
export const summariseLosses = (losses: Float64Array, perRow: number): LossSummary =>
  summariseRows(rowMeans(losses, perRow), losses.length);

/** @param rows mean loss of each row, all of one length @param tokens in all rows */
export function summariseRows(rows: readonly number[], tokens: number): LossSummary {
  const meanNll = mean(rows);
  return { ppl: Math.exp(meanNll), meanNll, tokens, rows };
}

/** Losses of a model, and how far it is from a teacher. */
export interface ComparedSummary extends LossSummary {
  /** Mean KL(teacher ‖ model) in nats, over the same positions. */
  readonly kl: number;
}

export const summariseComparison = (
  { losses, divergences }: Pick<Comparison, 'losses' | 'divergences'>,
  perRow: number,
): ComparedSummary => summariseComparedRows(rowMeans(losses, perRow), rowMeans(divergences, perRow), losses.length);

/** @param losses, divergences means of each row @param tokens in all rows */
export const summariseComparedRows = (
  losses: readonly number[],
  divergences: readonly number[],
  tokens: number,
): ComparedSummary => ({ ...summariseRows(losses, tokens), kl: mean(divergences) });

/** `kl` is there if divergences were measured. */
export type ModelLoss = LossSummary & Partial<Pick<ComparedSummary, 'kl'>>;

export interface Interval {
  readonly low: number;
  readonly high: number;
}

/** An interval relative to another model on the same rows. */
export interface PairedInterval {
  readonly pairedLow: number;
  readonly pairedHigh: number;
}

/** An interval relative to another model on the same rows, one of several that hold at once (joint-interval.ts). */
export interface JointInterval {
  readonly jointLow: number;
  readonly jointHigh: number;
}

/** What an interval is one of. */
export interface Among {
  /** How many parts are scored. */
  readonly parts: number;
  /** How far a screened mean may be from that of float32, in nats; undefined or infinite if it is exact or not known. */
  readonly margin?: number;
}

const RESAMPLES = 1000;

/**
 * 95 % bootstrap interval of the perplexity: as many rows as there are, drawn with replacement 1 000 times. It shows
 * how the perplexity varies between texts, which affects all blocks alike. To compare a block with the whole model, use
 * `pairedPerplexity`.
 * @param seed equal seeds draw equal rows
 */
export function bootstrapPerplexity(rows: readonly number[], seed: number): Interval {
  const { low, high } = bootstrapMean(rows, seed);
  return { low: Math.exp(low), high: Math.exp(high) };
}

/**
 * 95 % paired bootstrap interval of the variant's perplexity: the whole model's perplexity on these rows, times the
 * interval of exp(mean of the rows' differences in loss). The difficulty of a row cancels in its difference, so what
 * remains is the cost of the missing part. It is right for one block; what is told of all blocks is `jointPerplexity`.
 * @param variant, full of the same rows in the same order, all of one length
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

/**
 * 95 % interval of the variant's perplexity that holds for all parts at once: one that excludes the whole model's perplexity
 * tells the two apart. What a screen may be off widens it.
 */
export function jointPerplexity(
  variant: Pick<LossSummary, 'rows' | 'meanNll'>,
  full: Pick<LossSummary, 'rows' | 'ppl' | 'meanNll'>,
  among: Among,
): JointInterval {
  const { low, high } = jointOf(variant.rows, full.rows, variant.meanNll - full.meanNll, among);
  return { jointLow: full.ppl * Math.exp(low), jointHigh: full.ppl * Math.exp(high) };
}

/** The same for a mean divergence. @param variant, full mean divergence of each row */
export function jointDivergence(variant: readonly number[], full: readonly number[], among: Among): JointInterval {
  const whole = mean(full);
  const { low, high } = jointOf(variant, full, mean(variant) - whole, among);
  return { jointLow: whole + low, jointHigh: whole + high };
}

function jointOf(
  variant: readonly number[],
  full: readonly number[],
  difference: number,
  { parts, margin = 0 }: Among,
): Interval {
  const noise = jointHalfWidth(
    variant.map((value, row) => value - full[row]),
    parts,
  );
  const half = noise + (Number.isFinite(margin) ? margin : 0);
  return { low: difference - half, high: difference + half };
}

/**
 * 95 % bootstrap intervals of the variant's mean divergence, like those of a perplexity: over texts, and paired with the
 * whole model over the same rows.
 * @param variant, full mean divergence of each row
 */
export function divergenceIntervals(
  variant: readonly number[],
  full: readonly number[],
  seed: number,
): Interval & PairedInterval {
  const differences = variant.map((kl, row) => kl - full[row]);
  const { low, high } = bootstrapMean(differences, seed);
  const whole = mean(full);
  return { ...bootstrapMean(variant, seed), pairedLow: whole + low, pairedHigh: whole + high };
}

/** The 2.5 % and 97.5 % quantiles of the mean of values that are drawn with replacement. */
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

function mean(values: readonly number[] | Float64Array): number {
  let sum = 0;
  for (const value of values) sum += value;
  return sum / values.length;
}
