/**
 * Racing: a part that is certainly not among the n least important ones need not be measured on all rows.
 *
 * All parts are measured on the first rows. The n that look least important, and some more, are the leaders: they are measured on all
 * rows, so that the n-th of their means is known, T. It is at least the n-th least mean of all parts. What another part has on the rows
 * that it has not seen is predicted from what the leaders have there, and a part drops out once its whole mean lies above T with the
 * wanted confidence.
 *
 * The prediction is least squares over stretches of positions: y = c + Σ b x + e, with x the mean of the leaders (and the loss of the
 * model itself). Of m stretches that were read and u that were not, the mean of all is off by u / (m + u) times what the prediction for
 * those that were not read is off, whose variance is s² · effect · (1/m + 1/u + d' (X'X)⁻¹ d): d are the distances of the means of x
 * there, and s² is the variance of e. Positions of a row are alike, so a mean over rows varies more than that of as many stretches drawn
 * from anywhere: by `effect`, which the leaders show, because they are known on all rows.
 *
 * With N parts and L looks, each look at a part may err with the probability (1 − confidence) / (N L). A set of the n least is wrong
 * only if a part of it dropped out, so by Bonferroni's inequality it is right with the wanted confidence, however parts depend on each
 * other. As everywhere with Student's t, that holds for errors that are normal, and nearly so otherwise.
 */
import type { Range } from '../parts/split';
import { studentQuantile } from '../student';

/** Positions of a stretch, about: the numbers of neighbors are alike, those of stretches much less. */
const STRETCH = 8;
/** Degrees of freedom below which nothing is said. */
const LEAST_FREEDOM = 4;
/**
 * So many parts at least are measured on all rows at once: they show how much rows differ, and a screen needs the errors of so many
 * before it can tell anything.
 */
const LEAST_LEADERS = 5;

/** How certain the n least important parts are to be those of a sweep over all rows. */
export const DEFAULT_CONFIDENCE = 0.999;

/** Rows that were read when parts are looked at: a fifth of them, then twice as many, as long as some are left. */
export function looksOf(rows: number): number[] {
  const looks: number[] = [];
  for (let read = Math.ceil(rows / 5); read < rows; read *= 2) looks.push(read);
  return looks;
}

/** With fewer rows than that, there is nothing to save. */
export const LEAST_ROWS = 5;

/** How many parts lead. @param candidates parts that can be among the wanted ones */
export const leadersOf = (wanted: number, candidates: number, least = LEAST_LEADERS): number =>
  Math.min(candidates, Math.max(least, wanted));

/** What a part has on all rows, in nats, as far as it is known. */
export interface Estimate {
  readonly mean: number;
  /** The mean is that far off at most, with the confidence of a look. */
  readonly half: number;
  /** Standard error as the mean of any other rows of such a text, and its degrees of freedom. */
  readonly error: number;
  readonly freedom: number;
}

/** Numbers in nats at all positions of all rows. */
export interface Leader {
  readonly values: Float64Array;
  /** What the part had in the round before, where there was one. */
  readonly before?: Float64Array;
}

/** What is known at all positions of all rows. */
export interface Known {
  readonly leaders: readonly Leader[];
  /** Of the model itself, where its numbers vary with those of the parts, as losses do; those of KL divergence do not. */
  readonly model?: Float64Array;
}

/** Says what a part has on all rows. @param before as of a leader */
export type Predict = (values: Float64Array, before?: Float64Array) => Estimate;

/** Predicts means of all rows from the first ones. */
export class Prediction {
  private readonly leaders: readonly { readonly values: Float64Array; readonly before?: Float64Array }[];
  private readonly model: Float64Array | undefined;
  private readonly mean: Float64Array;
  /** Stretches of a row. */
  private readonly parts: number;

  /**
   * @param rows all rows
   * @param perRow positions of a row
   * @param probability that a mean is more than a half width below its estimate
   */
  constructor(
    { leaders, model }: Known,
    private readonly rows: number,
    private readonly perRow: number,
    private readonly probability: number,
  ) {
    this.parts = Math.max(1, Math.round(perRow / STRETCH));
    this.leaders = leaders.map(({ values, before }) => ({
      values: this.stretches(values),
      ...(before && { before: this.stretches(before) }),
    }));
    this.model = model && this.stretches(model);
    this.mean = meanSeries(this.leaders.map(({ values }) => values));
  }

  /** From so many rows. The values of a part are those of these rows, from the first one on. */
  from(look: number): Predict {
    const effects = new Map<boolean, number>();
    const effectOf = (before: boolean): number => {
      const known = effects.get(before) ?? this.effect(look, before);
      effects.set(before, known);
      return known;
    };
    const read = { from: 0, to: look * this.parts };
    return (values, before) => {
      const y = this.stretches(values);
      const columns = this.columns(this.mean, before && this.stretches(before));
      const { mean, variance, single, freedom } = predicted(y, columns, read);
      const effect = effectOf(before !== undefined);
      const reach = freedom > 0 ? studentQuantile(1 - this.probability, freedom) : Infinity;
      return {
        mean,
        half: reach * Math.sqrt(variance * effect),
        error: Math.sqrt((single * effect) / y.length),
        freedom,
      };
    };
  }

  /**
   * How much larger the squares of errors are than the prediction has it: of the leaders, each predicted from the others and from so
   * many rows, of those at the beginning and of later ones.
   */
  private effect(look: number, withBefore: boolean): number {
    const length = this.rows * this.parts;
    const squares: number[] = [];
    for (const [i, { values, before }] of this.leaders.entries()) {
      if (withBefore && !before) continue;
      const others = this.leaders.filter((_, j) => j !== i).map((each) => each.values);
      const columns = this.columns(meanSeries(others), withBefore ? before : undefined);
      const actual = meanOf(values);
      for (let row = 0; row + look <= this.rows; row += Math.ceil(look / 2)) {
        const window = { from: row * this.parts, to: (row + look) * this.parts };
        const { mean, variance } = predicted(values.subarray(window.from, window.to), columns, window);
        squares.push((mean - actual) ** 2 / variance);
      }
    }
    const finite = squares.filter((each) => Number.isFinite(each));
    // Without any the leaders cannot tell; then each row counts as one number.
    return finite.length === 0
      ? length / this.rows
      : Math.max(1, finite.reduce((sum, each) => sum + each, 0) / finite.length);
  }

  private columns(leaders: Float64Array, before: Float64Array | undefined): Float64Array[] {
    return [...(before ? [before] : []), leaders, ...(this.model ? [this.model] : [])];
  }

  /** Means of stretches; those of a row differ by one position at most, and their mean is that of the row. */
  private stretches(values: Float64Array): Float64Array {
    const { perRow, parts } = this;
    const means = new Float64Array((values.length / perRow) * parts);
    for (let i = 0; i < means.length; i++) {
      const [row, part] = [Math.floor(i / parts), i % parts];
      const from = row * perRow + Math.floor((part * perRow) / parts);
      const to = row * perRow + Math.floor(((part + 1) * perRow) / parts);
      for (let at = from; at < to; at++) means[i] += (values[at] * parts) / perRow;
    }
    return means;
  }
}

interface Predicted {
  /** Of all stretches. */
  readonly mean: number;
  /** Of its error, for stretches that vary independently of each other. */
  readonly variance: number;
  /** Of a single stretch. */
  readonly single: number;
  readonly freedom: number;
}

/**
 * The mean of all stretches from some of them.
 * @param y of the stretches in the window
 * @param columns of all stretches
 */
function predicted(y: Float64Array, columns: readonly Float64Array[], { from, to }: Range): Predicted {
  const mean = meanOf(y);
  const [{ length }] = columns;
  const unread = length - y.length;
  if (unread === 0) throw new Error('there are no rows to predict');
  const read = columns.map((column) => column.subarray(from, to));
  const apart = columns.map((column, i) => {
    const inside = meanOf(read[i]);
    return (meanOf(column) * length - inside * y.length) / unread - inside;
  });
  const fit = leastSquares(y, read, apart);
  if (!fit) return { mean, variance: Infinity, single: Infinity, freedom: 0 };
  const share = unread / length;
  const variance = share ** 2 * fit.variance * (1 / y.length + 1 / unread + fit.leverage);
  return { mean: mean + share * fit.shift, variance, single: fit.variance, freedom: fit.freedom };
}

function meanSeries(series: readonly Float64Array[]): Float64Array {
  return series[0].map((_, at) => series.reduce((sum, each) => sum + each[at], 0) / series.length);
}

interface Fit {
  /** What y is expected to be more where the columns have the distances. */
  readonly shift: number;
  /** d' (X'X)⁻¹ d of centered columns, of these distances. */
  readonly leverage: number;
  /** Of what is left of y, by its degrees of freedom. */
  readonly variance: number;
  readonly freedom: number;
}

/** Columns that say next to nothing beside the ones before are left out: below this share of their squares. */
const SINGULAR = 1e-9;

/**
 * y = c + Σ b x. One column after the other is made orthogonal to those before, so the fit needs no matrix.
 * @param distances from the mean of each column to where y is asked for
 * @returns undefined with too few numbers, or where they are not finite
 */
function leastSquares(
  y: Float64Array,
  columns: readonly Float64Array[],
  distances: readonly number[],
): Fit | undefined {
  let rest = centered(y);
  const kept: { readonly column: Float64Array; readonly square: number; readonly distance: number }[] = [];
  let [shift, leverage] = [0, 0];
  for (const [i, given] of columns.entries()) {
    let column = centered(given);
    let distance = distances[i];
    const whole = dot(column, column);
    for (const one of kept) {
      const factor = dot(column, one.column) / one.square;
      column = column.map((value, at) => value - factor * one.column[at]);
      distance -= factor * one.distance;
    }
    const square = dot(column, column);
    if (!(square > SINGULAR * whole)) continue;
    const slope = dot(rest, column) / square;
    rest = rest.map((value, at) => value - slope * column[at]);
    shift += slope * distance;
    leverage += distance ** 2 / square;
    kept.push({ column, square, distance });
  }
  const freedom = y.length - 1 - kept.length;
  const variance = dot(rest, rest) / freedom;
  if (freedom < LEAST_FREEDOM || !Number.isFinite(variance + shift + leverage)) return undefined;
  return { shift, leverage, variance, freedom };
}

const meanOf = (values: Float64Array): number => values.reduce((sum, each) => sum + each, 0) / values.length;

const dot = (a: Float64Array, b: Float64Array): number => a.reduce((sum, value, i) => sum + value * b[i], 0);

function centered(values: Float64Array): Float64Array {
  const mean = meanOf(values);
  return values.map((value) => value - mean);
}
