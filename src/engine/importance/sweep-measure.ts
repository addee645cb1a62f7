/** What a sweep measures of each model: token losses, or divergences from a teacher besides. */
import type { TaughtRows } from '../model/last-states';
import type { TokenRows } from '../model/forward';
import type { Model } from '../model/model';
import type { Step } from '../model/view';
import type { JobOptions } from '../progress';
import { comparisonSweepWork, sweepWork } from './cost';
import {
  type Among,
  bootstrapPerplexity,
  divergenceIntervals,
  type Interval,
  jointDivergence,
  type JointInterval,
  jointPerplexity,
  type ModelLoss,
  type PairedInterval,
  pairedPerplexity,
  rowMeans,
  summariseComparedRows,
  summariseRows,
} from './losses';
import { type Compared, sweepComparisons, sweepLosses } from './sweep';
import type { SweepMemory } from './sweep-memory';

/** The last states of the teacher over the rows; "full" where every model is its own teacher, or none is needed. */
export type Teacher = TaughtRows | 'full';

/** Means of each row. Parts of a run put them into a table. */
export interface RowMeans {
  readonly nll: readonly number[];
  readonly kl?: readonly number[];
}

/** A model over the text. */
export interface SweptModel {
  readonly loss: ModelLoss;
  readonly means: RowMeans;
}

/** `V` has the numbers of all positions. */
export interface SweepMeasure<V extends object> {
  /** The column of the means that decides between models. */
  readonly decides: keyof RowMeans;
  /** The number that decides, in nats. */
  readonly number: (loss: ModelLoss) => number;
  /** The score of a part, of the model without it. */
  readonly score: (loss: ModelLoss) => number;
  /** Intervals of that score. @param seed of the bootstrap */
  readonly intervals: (
    one: SweptModel,
    whole: SweptModel,
    seed: number,
    among: Among,
  ) => Interval & PairedInterval & JointInterval;
  readonly work: typeof sweepWork;
  /** The model with `steps`, and without each candidate. @throws UserError, CancelledError */
  readonly sweep: (
    model: Model,
    teacher: Teacher,
    rows: TokenRows,
    steps: readonly Step[],
    candidates: readonly number[],
    job: JobOptions,
    memory?: SweepMemory<V>,
  ) => Promise<{ readonly full: V; readonly without: readonly V[] }>;
  /** The numbers of no positions. */
  readonly nothing: V;
  /** @param perRow positions of a row */
  readonly meansOf: (value: V, perRow: number) => RowMeans;
  /** What decides, at every position, in nats. */
  readonly deciding: (value: V) => Float64Array;
  /** The score of a number that decides. */
  readonly scoreOf: (number: number) => number;
  /** The numbers of consecutive rows together, and those of some positions. */
  readonly join: (values: readonly V[]) => V;
  readonly part: (value: V, from: number, to: number) => V;
}

function joined(values: readonly Float64Array[]): Float64Array {
  if (values.length === 1) return values[0];
  const all = new Float64Array(values.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const each of values) {
    all.set(each, at);
    at += each.length;
  }
  return all;
}

/** Losses of the next tokens. */
export const LOSSES: SweepMeasure<Float64Array> = {
  decides: 'nll',
  number: ({ meanNll }) => meanNll,
  score: ({ ppl }) => ppl,
  intervals: ({ loss }, { loss: whole }, seed, among) => ({
    ...bootstrapPerplexity(loss.rows, seed),
    ...pairedPerplexity(loss, whole, seed),
    ...jointPerplexity(loss, whole, among),
  }),
  work: sweepWork,
  sweep: (model, _teacher, ...rest) => sweepLosses(model, ...rest),
  nothing: new Float64Array(0),
  meansOf: (losses, perRow) => ({ nll: rowMeans(losses, perRow) }),
  deciding: (losses) => losses,
  scoreOf: Math.exp,
  join: joined,
  part: (losses, from, to) => losses.subarray(from, to),
};

/** Losses, and divergences from the teacher, which decide. */
export const DIVERGENCES: SweepMeasure<Compared> = {
  decides: 'kl',
  number: ({ kl = NaN }) => kl,
  score: ({ kl = NaN }) => kl,
  intervals: ({ means: { kl = [] } }, { means: { kl: whole = [] } }, seed, among) => ({
    ...divergenceIntervals(kl, whole, seed),
    ...jointDivergence(kl, whole, among),
  }),
  work: comparisonSweepWork,
  sweep: sweepComparisons,
  nothing: { losses: new Float64Array(0), divergences: new Float64Array(0) },
  meansOf: ({ losses, divergences }, perRow) => ({
    nll: rowMeans(losses, perRow),
    kl: rowMeans(divergences, perRow),
  }),
  deciding: ({ divergences }) => divergences,
  scoreOf: (kl) => kl,
  join: (values) => ({
    losses: joined(values.map(({ losses }) => losses)),
    divergences: joined(values.map(({ divergences }) => divergences)),
  }),
  part: ({ losses, divergences }, from, to) => ({
    losses: losses.subarray(from, to),
    divergences: divergences.subarray(from, to),
  }),
};

/** What the means of all rows say of a model. @param perRow positions of a row */
export const sweptModel = (means: RowMeans, perRow: number): SweptModel => {
  const tokens = means.nll.length * perRow;
  const loss = means.kl ? summariseComparedRows(means.nll, means.kl, tokens) : summariseRows(means.nll, tokens);
  return { loss, means };
};

/**
 * A model that was measured on the first rows only.
 * @param means of these rows
 * @param number that decides, estimated for all rows. What does not decide is moved like the original on the same rows
 */
export function estimatedModel(
  { decides }: Pick<SweepMeasure<never>, 'decides'>,
  means: RowMeans,
  number: number,
  whole: SweptModel,
): SweptModel {
  const moved = means.nll.reduce((sum, nll, row) => sum + nll - whole.means.nll[row], 0) / means.nll.length;
  const meanNll = decides === 'nll' ? number : whole.loss.meanNll + moved;
  const loss = { ppl: Math.exp(meanNll), meanNll, tokens: whole.loss.tokens, rows: means.nll };
  return { loss: { ...loss, ...(decides === 'kl' && { kl: number }) }, means };
}
