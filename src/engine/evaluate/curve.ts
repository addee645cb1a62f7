/**
 * The curve of perplexity against the number of removed blocks, in the order of a criterion. It shows the cost of the
 * next block, and where a model breaks (Shortened LLaMA, Figures 2 and 6).
 */
import { type Architecture, withLayers } from '../checkpoint/architecture';
import { parametersOf } from '../checkpoint/parameters';
import { UserError } from '../errors';
import { option } from '../option-token';
import type { JobOptions } from '../progress';
import { BrokenScores, type Ranking, selectByScores } from '../importance/ranking';
import type { TokenRows } from '../model/forward';
import type { LastStates } from '../model/last-states';
import type { Model } from '../model/model';
import { viewWithout, type RemovedPart, type View } from '../model/view';
import { comparedViews } from './likeness';
import { lossesByRow, type RowComparisons, type RowLosses, summariseNumbers } from './row-numbers';
import { lossesOfViews } from './views';

export interface CurvePoint {
  /** Blocks removed. */
  readonly count: number;
  /** 0-based, ascending. */
  readonly removed: readonly number[];
  /** exp(meanNll). */
  readonly ppl: number;
  /** Mean token loss in nats. */
  readonly meanNll: number;
  /** Remaining parameters. */
  readonly parameters: number;
  /** Mean KL divergence from the unpruned model in nats, and share of positions with the same most likely token. */
  readonly kl?: number;
  readonly top1?: number;
}

/**
 * The removals of 0, 1, 2, … blocks, as far as the keep-list and the criterion's result allow. A set has no order, so
 * its removals are none and all of its blocks.
 * @param most largest count wanted
 */
export function removalsOf(ranking: Ranking, blocks: number, kept: ReadonlySet<number>, most = blocks - 1): number[][] {
  if (ranking.kind === 'set') {
    const count = Math.min(most, ranking.set.length);
    return count === 0 ? [[]] : [[], selectByScores(ranking, blocks, count, kept)];
  }
  const removals: number[][] = [[]];
  for (let count = 1; count <= Math.min(most, blocks - 1, blocks - kept.size); count++) {
    try {
      removals.push(selectByScores(ranking, blocks, count, kept));
    } catch (error) {
      if (error instanceof UserError && count > 1) break; // the criterion ranks no further blocks
      throw error;
    }
  }
  return removals;
}

/**
 * Why a curve has fewer removals than requested, in words. Undefined when it has them, or when only the available
 * number was requested.
 * @param removals what `removalsOf` gives
 */
export function curveEnd(
  ranking: Ranking,
  blocks: number,
  kept: ReadonlySet<number>,
  most: number | undefined,
  removals: readonly (readonly number[])[],
): string | undefined {
  const reached = removals.length - 1;
  if (reached >= Math.min(most ?? Infinity, blocks - 1)) return undefined;
  const free = blocks - kept.size;
  if (free === 0)
    return `no block can be removed: all ${blocks} are kept (${option('keepEnds', false)} allows the first four and the last two)`;
  if (ranking.kind === 'set') return undefined;
  if (reached === free) {
    return most === undefined ? undefined : `the curve ends at ${free} removed blocks: the other ${kept.size} are kept`;
  }
  try {
    selectByScores(ranking, blocks, reached + 1, kept);
    return undefined;
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    const isNews = most !== undefined || error instanceof BrokenScores;
    return isNews ? `the curve ends at ${reached} removed blocks: ${error.texts.why}` : undefined;
  }
}

/** A point before it is measured. */
export type PlannedPoint = Pick<CurvePoint, 'count' | 'removed' | 'parameters'>;

/**
 * @param removals whole blocks, ascending; what `removalsOf` gives
 * @param always parts that are removed in every point
 * @returns what is left in each point
 */
export const viewsOf = (
  architecture: Architecture,
  removals: readonly (readonly number[])[],
  always: readonly RemovedPart[],
): View[] =>
  removals.map((removed) =>
    viewWithout(architecture.layers.length, [...always, ...removed.map((block) => ({ block }))]),
  );

/** @param views what is left in each point */
export function plannedPoints(
  architecture: Architecture,
  removals: readonly (readonly number[])[],
  views: readonly View[],
): PlannedPoint[] {
  return removals.map((removed, i) => {
    const left = Array.from(architecture.layers.keys()).filter(
      (block) => views[i].attention[block] || views[i].ffn[block],
    );
    return { count: removed.length, removed, parameters: parametersOf(withLayers(architecture, left)) };
  });
}

/**
 * Measures views on rows, and compares them where there is a teacher.
 * @param teacher the unpruned model's last states over the rows
 * @throws CancelledError
 */
export async function measuredViews(
  model: Model,
  rows: TokenRows,
  views: readonly View[],
  job?: JobOptions,
  teacher?: LastStates,
): Promise<(RowLosses | RowComparisons)[]> {
  if (teacher) return comparedViews(model, teacher, rows, views, job);
  return (await lossesOfViews(model, rows, views, job)).map((losses) => lossesByRow(losses, rows[0].length - 1));
}

/** @param numbers of each point @param length tokens of a row */
export const curvePoints = (
  points: readonly PlannedPoint[],
  numbers: readonly (RowLosses | RowComparisons)[],
  length: number,
): CurvePoint[] =>
  points.map(({ count, removed, parameters }, i) => {
    const { ppl, meanNll, kl, top1 } = summariseNumbers(numbers[i], length - 1);
    return { count, removed, ppl, meanNll, parameters, ...(kl !== undefined && { kl, top1 }) };
  });

/**
 * Evaluates every removal on the rows.
 * @param rows tokens, all of one length
 * @param removals whole blocks, ascending; what `removalsOf` gives
 * @param always parts that are removed in every point
 * @param teacher the unpruned model's last states over the rows; without it, divergences are not measured
 * @throws CancelledError
 */
export async function removalCurve(
  model: Model,
  rows: TokenRows,
  removals: readonly (readonly number[])[],
  always: readonly RemovedPart[] = [],
  job?: JobOptions,
  teacher?: LastStates,
): Promise<CurvePoint[]> {
  const { architecture } = model;
  const views = viewsOf(architecture, removals, always);
  const numbers = await measuredViews(model, rows, views, job, teacher);
  return curvePoints(plannedPoints(architecture, removals, views), numbers, rows[0].length);
}
