/**
 * The curve of perplexity against the number of removed blocks, in the order of a criterion. It shows the cost of the
 * next block, and where a model breaks (Shortened LLaMA, Figures 2 and 6).
 */
import { withLayers } from '../checkpoint/architecture';
import { parametersOf } from '../checkpoint/parameters';
import { UserError } from '../errors';
import { option } from '../option-token';
import { summariseLosses } from '../importance/losses';
import type { JobOptions } from '../progress';
import { BrokenScores, type Ranking, selectByScores } from '../importance/ranking';
import type { TokenRows } from '../model/forward';
import type { LastStates } from '../model/last-states';
import type { Model } from '../model/model';
import { viewWithout, type RemovedPart } from '../model/view';
import { likenessOfViews } from './likeness';
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
  const views = removals.map((removed) =>
    viewWithout(architecture.layers.length, [...always, ...removed.map((block) => ({ block }))]),
  );
  const found = teacher
    ? await likenessOfViews(model, teacher, rows, views, job)
    : (await lossesOfViews(model, rows, views, job)).map((losses) => summariseLosses(losses, rows[0].length - 1));
  return removals.map((removed, i) => {
    const each = found[i];
    const { ppl, meanNll } = each;
    const compared = 'kl' in each ? { kl: each.kl, top1: each.top1 } : {};
    const left = Array.from(architecture.layers.keys()).filter(
      (block) => views[i].attention[block] || views[i].ffn[block],
    );
    const parameters = parametersOf(withLayers(architecture, left));
    return { count: removed.length, removed, ppl, meanNll, parameters, ...compared };
  });
}
