/**
 * Angular distance over windows of blocks (Gromov et al. 2024; their code is arcee-ai/PruneMe): arccos(cos(state before
 * block l, state after block l+n−1)) / π at the last position, averaged over rows. 0 is the same direction, 0.5 a right
 * angle. The window of n blocks with the lowest distance is removed as a whole.
 */
import type { ScoreRows } from '../criterion';
import type { JobOptions } from '../../progress';
import type { AngularWindow } from '../select';
import type { TokenRows } from '../../model/forward';
import type { Model } from '../../model/model';
import { fullView, stepsOf, type View } from '../../model/view';
import { cosine, countZeros, streamResidual } from '../residual';

const MAX_WINDOW = 8;

/**
 * Every window of size 1 … min(L−1, 8) at every start.
 * @param rows calibration tokens, all rows of one length
 * @throws CancelledError
 */
export async function scoreAngular(
  model: Model,
  rows: TokenRows,
  { view = fullView(model.architecture.layers.length) }: { readonly view?: View } = {},
  job?: JobOptions,
): Promise<{ windows: AngularWindow[]; zeroStates?: number }> {
  const steps = stepsOf(view);
  const { hidden } = model.architecture;
  const { length } = rows[0];
  // lastStates[k]: the last position of every row before step k, (rows, hidden)
  const lastStates = Array.from({ length: steps.length + 1 }, () => new Float32Array(rows.length * hidden));
  const keep = (k: number, firstRow: number, data: Float32Array): void => {
    for (let row = 0; row * length * hidden < data.length; row++) {
      const last = ((row + 1) * length - 1) * hidden;
      lastStates[k].set(data.subarray(last, last + hidden), (firstRow + row) * hidden);
    }
  };
  await streamResidual(
    model,
    rows,
    steps,
    (k, row, before, after) => {
      if (k === 0) keep(0, row, before.data);
      keep(k + 1, row, after.data);
    },
    job,
  );
  const distance = (from: number, to: number): number => {
    let sum = 0;
    for (let at = 0; at < rows.length * hidden; at += hidden) {
      const cos = cosine(lastStates[from], lastStates[to], at, hidden);
      sum += Math.acos(Math.min(1, Math.max(-1, cos))) / Math.PI;
    }
    return sum / rows.length;
  };
  const windows: AngularWindow[] = [];
  for (let size = 1; size <= Math.min(steps.length - 1, MAX_WINDOW); size++) {
    for (let k = 0; k + size <= steps.length; k++) {
      windows.push({ start: steps[k].block, size, score: distance(k, k + size) });
    }
  }
  const zeroStates = lastStates.reduce((sum, states) => sum + countZeros(states, hidden), 0);
  return { windows, ...(zeroStates > 0 && { zeroStates }) };
}

export const scoreRows: ScoreRows = (model, rows, { view }, job) => scoreAngular(model, rows, { view }, job);
