/**
 * Sizes against perplexity: which of some measured models are worth their bytes, which is the best that fits, and how sure that
 * is. Pure, so that the page and the choice follow one rule.
 */
import { studentQuantile } from '../student';

/** What the rule needs of a measured file. */
export interface SizedModel {
  readonly bytes: number;
  readonly ppl: number;
}

/** No other model is at most as large and has a lower perplexity, or is smaller with the same one. Numbers that are not finite have no place. */
export const isEfficient = (model: SizedModel, all: readonly SizedModel[]): boolean =>
  Number.isFinite(model.ppl) && !all.some((other) => beats(other, model));

const beats = (other: SizedModel, { bytes, ppl }: SizedModel): boolean =>
  other.bytes <= bytes && other.ppl <= ppl && (other.bytes < bytes || other.ppl < ppl);

/** The lowest perplexity of those that fit, the smaller file of equal ones; undefined where nothing fits. */
export const bestWithin = <M extends SizedModel>(models: readonly M[], bytes: number): M | undefined =>
  models
    .filter((model) => model.bytes <= bytes && Number.isFinite(model.ppl))
    .toSorted((a, b) => a.ppl - b.ppl || a.bytes - b.bytes)
    .at(0);

/**
 * The fewest blocks without which something fits, found by halving: fewer blocks are never smaller.
 * @param most blocks that may go
 * @param sizeOf bytes without so many blocks
 * @returns undefined where even `most` are too few
 */
export async function fewestWithin(
  bytes: number,
  most: number,
  sizeOf: (count: number) => Promise<number>,
): Promise<{ readonly count: number; readonly bytes: number } | undefined> {
  const least = await sizeOf(most);
  if (least > bytes) return undefined;
  let [fits, low, size] = [most, -1, least];
  while (fits - low > 1) {
    const middle = Math.floor((fits + low) / 2);
    const found = await sizeOf(middle);
    if (found <= bytes) [fits, size] = [middle, found];
    else low = middle;
  }
  return { count: fits, bytes: size };
}

/** How much more a model loses than another one, on the same rows. */
export interface LossBehind {
  /** Mean over the rows of the difference of mean token losses, in nats. */
  readonly difference: number;
  /** Half of its 95 % interval by Student's t over the rows; null for a single row. */
  readonly interval: number | null;
}

const CONFIDENCE = 0.95;

/** @param rows mean token losses of each row, in nats @param of the same rows under the model that it is compared with */
export function lossBehind(rows: readonly number[], of: readonly number[]): LossBehind {
  const apart = rows.map((loss, row) => loss - of[row]);
  const count = apart.length;
  const difference = apart.reduce((sum, each) => sum + each, 0) / count;
  if (count < 2) return { difference, interval: null };
  const variance = apart.reduce((sum, each) => sum + (each - difference) ** 2, 0) / (count - 1);
  const quantile = studentQuantile((1 + CONFIDENCE) / 2, count - 1);
  return { difference, interval: quantile * Math.sqrt(variance / count) };
}

/** Whether the rows tell which of the two is better. */
export const isApart = ({ difference, interval }: LossBehind): boolean =>
  interval !== null && Math.abs(difference) > interval;

/** The types that are measured where none are named, from the finest to the coarsest. */
export const FRONTIER_TYPES = ['q8_0', 'q6_k', 'q5_k_m', 'q4_k_m', 'q3_k_m', 'q2_k'] as const;
