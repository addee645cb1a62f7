/**
 * Block Influence (Men et al. 2024, ShortGPT): 1 − cos(state before, state after), averaged over all positions. A block
 * that hardly turns the residual stream is less important. The raw residual stream is compared, never the output of the
 * final norm.
 */
import type { ScoreRows } from '../criterion';
import type { JobOptions } from '../../progress';
import { rankBlocks } from '../select';
import type { TokenRows } from '../../model/forward';
import type { Model } from '../../model/model';
import { fullView, stepsOf, type View } from '../../model/view';
import { cosine, countZeros, streamResidual } from '../residual';

/**
 * @param rows calibration tokens, all rows of one length
 * @throws CancelledError
 */
export async function scoreBlockInfluence(
  model: Model,
  rows: TokenRows,
  { view = fullView(model.architecture.layers.length) }: { readonly view?: View } = {},
  job?: JobOptions,
): Promise<{ blocks: { index: number; score: number }[]; order: number[]; zeroStates?: number }> {
  const steps = stepsOf(view);
  const { hidden } = model.architecture;
  const sums = new Float64Array(steps.length);
  let zeroStates = 0;
  const compare = (k: number, _row: number, before: { data: Float32Array }, after: { data: Float32Array }): void => {
    for (let at = 0; at < before.data.length; at += hidden) sums[k] += 1 - cosine(before.data, after.data, at, hidden);
    if (k === 0) zeroStates += countZeros(before.data, hidden);
    zeroStates += countZeros(after.data, hidden);
  };
  await streamResidual(model, rows, steps, compare, job);
  const positions = rows.length * rows[0].length;
  const blocks = steps.map(({ block }, k) => ({ index: block, score: sums[k] / positions }));
  const order = rankBlocks(blocks.map((b) => b.score)).map((i) => blocks[i].index);
  return { blocks, order, ...(zeroStates > 0 && { zeroStates }) };
}

export const scoreRows: ScoreRows = (model, rows, { view }, job) => scoreBlockInfluence(model, rows, { view }, job);
