/** Perplexity of a text, window by window (Shortened LLaMA's `src/eval_ppl.py`). */
import type { Likeness } from '../heal/result';
import { lossWarning } from '../importance/not-finite';
import { sweepLosses } from '../importance/sweep';
import type { JobOptions } from '../progress';
import type { TokenRows } from '../model/forward';
import type { Model } from '../model/model';
import { stepsOf, type View } from '../model/view';
import { lossesByRow, type RowComparisons, type RowLosses, summariseNumbers } from './row-numbers';

export interface Perplexity {
  /** exp(meanNll). */
  readonly ppl: number;
  /** Mean token loss in nats. */
  readonly meanNll: number;
  /** Tokens scored. */
  readonly tokens: number;
  readonly windows: number;
  /** Set when the loss is not finite: the place in the model where that begins. */
  readonly warning?: string;
}

/** What was measured of every row. */
export interface MeasuredRows<N extends RowLosses = RowLosses> {
  readonly numbers: N;
  /** Set when the loss is not finite: the place in the model where that begins. */
  readonly warning?: string;
}

/** @param rows tokens, all of one length; every token of a row except the first is scored */
export async function perplexityOfRows(
  model: Model,
  rows: TokenRows,
  view: View,
  job?: JobOptions,
): Promise<Perplexity> {
  const { numbers, ...told } = await measuredRows(model, rows, view, job);
  return { ...perplexityFrom(numbers, rows[0].length), ...told };
}

/** The same of every row. */
export async function measuredRows(model: Model, rows: TokenRows, view: View, job?: JobOptions): Promise<MeasuredRows> {
  const perRow = rows[0].length - 1;
  const { full } = await sweepLosses(model, rows, stepsOf(view), [], job);
  const numbers = lossesByRow(full, perRow);
  const warning = await lossWarning(model, rows, view, summariseNumbers(numbers, perRow), job);
  return { numbers, ...(warning !== undefined && { warning }) };
}

/** The perplexity of all rows. @param length tokens of a row */
export function perplexityFrom(numbers: RowComparisons, length: number): Perplexity & Likeness;
export function perplexityFrom(numbers: RowLosses | RowComparisons, length: number): Perplexity & Partial<Likeness>;
export function perplexityFrom(numbers: RowLosses | RowComparisons, length: number): Perplexity & Partial<Likeness> {
  const { ppl, meanNll, tokens, kl, top1 } = summariseNumbers(numbers, length - 1);
  return { ppl, meanNll, tokens, windows: numbers.nll.length, ...(kl !== undefined && { kl, top1 }) };
}
