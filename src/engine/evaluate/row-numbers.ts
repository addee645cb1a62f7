/**
 * What is measured of a model row by row, and what that gives for all rows: the same numbers whether one process measured
 * the rows or several did.
 */
import {
  type ComparedSummary,
  type LossSummary,
  rowMeans,
  summariseComparedRows,
  summariseRows,
} from '../importance/losses';
import type { Comparison } from '../model/divergence';
import { filledFrom, type Filled, type Table } from '../parts/table';
import type { Range } from '../parts/split';

/** Of each row, the mean token loss in nats. */
export interface RowLosses {
  readonly nll: readonly number[];
}

/** Also how far the model is from the unpruned one. */
export interface RowComparisons extends RowLosses {
  /** Of each row, the mean KL divergence in nats. */
  readonly kl: readonly number[];
  /** Of each row, the number of positions where both find the same token most likely. */
  readonly agree: readonly number[];
}

/** @param losses (rows · perRow) in nats */
export const lossesByRow = (losses: Float64Array, perRow: number): RowLosses => ({
  nll: rowMeans(losses, perRow),
});

/** @param perRow positions of a row */
export const comparisonByRow = ({ losses, divergences, agree }: Comparison, perRow: number): RowComparisons => ({
  nll: rowMeans(losses, perRow),
  kl: rowMeans(divergences, perRow),
  agree: countsByRow(agree, perRow),
});

/** @param groups numbers of groups of rows, in their order */
export const joinedRows = (groups: readonly RowComparisons[]): RowComparisons => ({
  nll: groups.flatMap(({ nll }) => nll),
  kl: groups.flatMap(({ kl }) => kl),
  agree: groups.flatMap(({ agree }) => agree),
});

function countsByRow(agree: Uint8Array, perRow: number): number[] {
  const counts: number[] = [];
  for (let at = 0; at < agree.length; at += perRow) {
    counts.push(agree.subarray(at, at + perRow).reduce((sum, same) => sum + same, 0));
  }
  return counts;
}

/** A model over all rows; compared with the unpruned one if its rows are. */
export interface RowSummary extends LossSummary, Partial<Omit<ComparedSummary, keyof LossSummary>> {
  /** Share of the positions where both find the same token most likely. */
  readonly top1?: number;
}

/** @param perRow positions of a row */
export function summariseNumbers(numbers: RowComparisons, perRow: number): Required<RowSummary>;
export function summariseNumbers(numbers: RowLosses | RowComparisons, perRow: number): RowSummary;
export function summariseNumbers(numbers: RowLosses | RowComparisons, perRow: number): RowSummary {
  const tokens = numbers.nll.length * perRow;
  if (!('kl' in numbers)) return summariseRows(numbers.nll, tokens);
  const losses = summariseComparedRows(numbers.nll, numbers.kl, tokens);
  return { ...losses, top1: numbers.agree.reduce((sum, count) => sum + count, 0) / tokens };
}

/** The numbers of some variants over some rows, as a part of a table. @param first variant */
export const filledByRow = (first: number, rows: Range, numbers: readonly (RowLosses | RowComparisons)[]): Filled[] =>
  filledFrom(
    first,
    rows,
    numbers.map((each) => ({ ...each })),
  );

/** The numbers of a variant over all rows. @throws TableFault where they are not all there */
export function rowNumbersIn(table: Table, variant: number, isCompared: boolean): RowLosses | RowComparisons {
  const column = (measure: keyof RowComparisons): number[] => Array.from(table.column(measure, variant));
  const nll = column('nll');
  return isCompared ? { nll, kl: column('kl'), agree: column('agree') } : { nll };
}
