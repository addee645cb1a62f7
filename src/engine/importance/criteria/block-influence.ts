/**
 * Block Influence (Men et al. 2024, ShortGPT): 1 − cos(state before, state after), averaged over all positions. A block
 * that hardly turns the residual stream is less important. The raw residual stream is compared, never the output of the
 * final norm.
 */
import type { CriterionParts, ScoreRows } from '../criterion';
import { CUT_WORK } from '../cut-work';
import type { JobOptions } from '../../progress';
import { filledFrom } from '../../parts/table';
import { rankBlocks } from '../select';
import type { TokenRows } from '../../model/forward';
import type { Model } from '../../model/model';
import { fullView, stepsOf, type Step, type View } from '../../model/view';
import { countZeros, cosine, filledZeros, streamResidual, zeroStatesIn } from '../residual';

interface BlockInfluence {
  readonly blocks: { index: number; score: number }[];
  readonly order: number[];
  readonly zeroStates?: number;
}

/**
 * @param rows calibration tokens, all rows of one length
 * @throws CancelledError
 */
export async function scoreBlockInfluence(
  model: Model,
  rows: TokenRows,
  { view = fullView(model.architecture.layers.length) }: { readonly view?: View } = {},
  job?: JobOptions,
): Promise<BlockInfluence> {
  const steps = stepsOf(view);
  const { turns, zeros } = await measure(model, rows, steps, job);
  return resultOf(steps, turns, zeros);
}

/** What a pass over some rows finds. */
interface Turns {
  /** For each step, the mean of 1 − cos over the positions of each row. */
  readonly turns: readonly Float64Array[];
  /** States of each row that are all zeros. */
  readonly zeros: Float64Array;
}

async function measure(model: Model, rows: TokenRows, steps: readonly Step[], job?: JobOptions): Promise<Turns> {
  const { hidden } = model.architecture;
  const { length } = rows[0];
  const turns = steps.map(() => new Float64Array(rows.length));
  const zeros = new Float64Array(rows.length);
  const compare = (k: number, row: number, before: { data: Float32Array }, after: { data: Float32Array }): void => {
    const rowSize = length * hidden;
    for (let start = 0; start < before.data.length; start += rowSize, row++) {
      let sum = 0;
      for (let at = start; at < start + rowSize; at += hidden) sum += 1 - cosine(before.data, after.data, at, hidden);
      turns[k][row] = sum / length;
      const states = k === 0 ? [before, after] : [after];
      for (const { data } of states) zeros[row] += countZeros(data.subarray(start, start + rowSize), hidden);
    }
  };
  await streamResidual(model, rows, steps, compare, job);
  return { turns, zeros };
}

function resultOf(steps: readonly Step[], turns: readonly Float64Array[], zeros: Float64Array): BlockInfluence {
  const blocks = steps.map(({ block }, k) => {
    return { index: block, score: turns[k].reduce((sum, turn) => sum + turn, 0) / turns[k].length };
  });
  const order = rankBlocks(blocks.map((b) => b.score)).map((i) => blocks[i].index);
  return { blocks, order, ...zeroStatesIn(zeros) };
}

export const scoreRows: ScoreRows = (model, rows, { view }, job) => scoreBlockInfluence(model, rows, { view }, job);

/** Variant k of the table is step k. All are found in one pass, so the work is cut by rows only. */
export const parts: CriterionParts = {
  work: CUT_WORK['block-influence'],
  measureRows: async (model, rows, { steps }, { rows: own }, _scope, job) => {
    const { turns, zeros } = await measure(model, rows.slice(own.from, own.to), steps, job);
    const variants = turns.map((turn) => ({ turn }));
    return [...filledFrom(0, own, variants), ...filledZeros(own, zeros)];
  },
  result: (table, { steps }) => {
    const turns = steps.map((_, k) => table.column('turn', k));
    return resultOf(steps, turns, table.column('zeros', 0));
  },
};
