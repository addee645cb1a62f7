/**
 * How the work of a criterion is cut into parts: rows, runs of rows and candidates, and what these cost. Pure, so that a
 * share can be found, and a part estimated, where nothing computes.
 */
import type { Architecture } from '../checkpoint/architecture';
import { meanLayerParameters, parametersOfLayer } from '../checkpoint/parameters';
import { headWork, rowsPerRun } from '../model/cost';
import type { Step } from '../model/view';
import { type CuttableWork, numbersIn } from '../parts/split';
import { comparisonSweepWork, each, sweepWork, taylorWork } from './cost';
import type { Criterion } from './criteria';
import type { ScoreFrame } from './criterion';

/** What is known before a model is opened. */
export type CutFrame = Pick<ScoreFrame, 'rows' | 'length'> & { readonly steps: readonly Pick<Step, 'block'>[] };

export type CutWork = (architecture: Architecture, frame: CutFrame) => CuttableWork;

/**
 * A sweep: every row, and each step as a candidate. A part without the model itself needs its states, and not its losses.
 * @param needsLast whether it needs the last states too
 */
const cutSweep =
  (work: typeof sweepWork, needsLast: boolean): CutWork =>
  (architecture, { steps, rows, length }) => ({
    rows,
    unit: rowsPerRun(length),
    candidates: steps.length,
    cost: (some, whole) =>
      work(architecture, steps.length, numbersIn(some), each, { states: 0, losses: !whole, needsLast }),
  });

/** Gradients, which are summed over all rows before anything is made of them: parts have all rows, and blocks of their own. */
const cutGradients: CutWork = (architecture, { steps, rows }) => ({
  rows,
  unit: rows,
  candidates: steps.length,
  cost: (own) => taylorWork(architecture, steps.length, each, own),
});

/** The stored weights of each block. There are no rows. */
const cutWeights: CutWork = (architecture, { steps }) => {
  const parameters = steps.map(({ block }) => parametersOfLayer(architecture, block));
  const mean = meanLayerParameters(architecture);
  return {
    rows: 1,
    unit: 1,
    candidates: steps.length,
    cost: (some) => numbersIn(some).reduce((sum, k) => sum + parameters[k] / mean, 0),
  };
};

/** One pass over every row, which finds the numbers of all blocks. */
const cutPass: CutWork = (architecture, frame) => rowWork(architecture, frame, frame.steps.length, 0);

/**
 * Work that is cut by rows alone: passes that need nothing of each other.
 * @param blocks that each row passes
 * @param heads how often each row passes the head
 */
export const rowWork = (
  architecture: Architecture,
  { rows, length }: Pick<CutFrame, 'rows' | 'length'>,
  blocks: number,
  heads: number,
): CuttableWork => ({
  rows,
  unit: rowsPerRun(length),
  candidates: 0,
  cost: () => blocks + heads * headWork(architecture),
});

/** The work of the criteria that can be cut; a criterion's file takes its own from here. */
export const CUT_WORK = {
  ppl: cutSweep(sweepWork, false),
  // Where the teacher is another model, each part passes it through all of its blocks too, whatever its candidates are.
  kl: cutSweep(comparisonSweepWork, true),
  taylor: cutGradients,
  magnitude: cutWeights,
  'block-influence': cutPass,
  angular: cutPass,
} as const satisfies Partial<Record<Criterion, CutWork>>;
