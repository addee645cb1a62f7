/**
 * Angular distance over windows of blocks (Gromov et al. 2024; their code is arcee-ai/PruneMe): arccos(cos(state before
 * block l, state after block l+n−1)) / π at the last position, averaged over rows. 0 is the same direction, 0.5 a right
 * angle. The window of n blocks with the lowest distance is removed as a whole.
 */
import type { CriterionParts, ScoreRows } from '../criterion';
import { CUT_WORK } from '../cut-work';
import type { JobOptions } from '../../progress';
import { filledFrom } from '../../parts/table';
import type { AngularWindow } from '../select';
import type { TokenRows } from '../../model/forward';
import type { Model } from '../../model/model';
import { fullView, stepsOf, type Step, type View } from '../../model/view';
import { cosine, countZeros, filledZeros, streamResidual, zeroStatesIn } from '../residual';

const MAX_WINDOW = 8;

interface AngularDistances {
  readonly windows: AngularWindow[];
  readonly zeroStates?: number;
}

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
): Promise<AngularDistances> {
  const steps = stepsOf(view);
  const { distances, zeros } = await measure(model, rows, steps, job);
  return resultOf(steps, distances, zeros);
}

/** What a pass over some rows finds. */
interface Distances {
  /** For each window, the distance in each row. */
  readonly distances: readonly Float64Array[];
  /** Last states of each row that are all zeros. */
  readonly zeros: Float64Array;
}

/** Size and first step of every window. */
const runsOfSteps = (steps: number): { readonly size: number; readonly k: number }[] =>
  Array.from({ length: Math.max(0, Math.min(steps - 1, MAX_WINDOW)) }, (_, i) => i + 1).flatMap((size) =>
    Array.from({ length: steps - size + 1 }, (_, k) => ({ size, k })),
  );

async function measure(model: Model, rows: TokenRows, steps: readonly Step[], job?: JobOptions): Promise<Distances> {
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
  const ofRows = (of: (at: number) => number): Float64Array => Float64Array.from(rows, (_, row) => of(row * hidden));
  const distances = runsOfSteps(steps.length).map(({ size, k }) =>
    ofRows((at) => {
      const cos = cosine(lastStates[k], lastStates[k + size], at, hidden);
      return Math.acos(Math.min(1, Math.max(-1, cos))) / Math.PI;
    }),
  );
  const zeros = ofRows((at) =>
    lastStates.reduce((sum, states) => sum + countZeros(states.subarray(at, at + hidden), hidden), 0),
  );
  return { distances, zeros };
}

function resultOf(steps: readonly Step[], distances: readonly Float64Array[], zeros: Float64Array): AngularDistances {
  const windows = runsOfSteps(steps.length).map(({ size, k }, w) => {
    const score = distances[w].reduce((sum, distance) => sum + distance, 0) / distances[w].length;
    return { start: steps[k].block, size, score };
  });
  return { windows, ...zeroStatesIn(zeros) };
}

export const scoreRows: ScoreRows = (model, rows, { view }, job) => scoreAngular(model, rows, { view }, job);

/** Variant w of the table is window w. All are found in one pass, so the work is cut by rows only. */
export const parts: CriterionParts = {
  work: CUT_WORK.angular,
  measureRows: async (model, rows, { steps }, { rows: own }, _scope, job) => {
    const { distances, zeros } = await measure(model, rows.slice(own.from, own.to), steps, job);
    const variants = distances.map((distance) => ({ distance }));
    return [...filledFrom(0, own, variants), ...filledZeros(own, zeros)];
  },
  result: (table, { steps }) => {
    const distances = runsOfSteps(steps.length).map((_, w) => table.column('distance', w));
    return resultOf(steps, distances, table.column('zeros', 0));
  },
};
