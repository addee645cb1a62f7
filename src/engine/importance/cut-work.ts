/**
 * How the work of a criterion is cut into parts: rows, runs of rows and candidates, and what these cost. Pure, so that a
 * share can be found, and a part estimated, where nothing computes.
 */
import type { Architecture } from '../checkpoint/architecture';
import { headWork, rowsPerRun } from '../model/cost';
import { type CuttableWork, numbersIn } from '../parts/split';
import { each, sweepWork } from './cost';
import type { Criterion } from './criteria';
import type { ScoreFrame } from './criterion';

/** What is known before a model is opened. */
export type CutFrame = Pick<ScoreFrame, 'rows' | 'length'> & { readonly steps: { readonly length: number } };

export type CutWork = (architecture: Architecture, frame: CutFrame) => CuttableWork;

/** A sweep: every row, and each step as a candidate. A part without the model itself needs its states, and not its losses. */
export const cutSweep =
  (work: typeof sweepWork): CutWork =>
  (architecture, { steps, rows, length }) => ({
    rows,
    unit: rowsPerRun(length),
    candidates: steps.length,
    cost: (some, whole) =>
      work(architecture, steps.length, numbersIn(some), each, { states: 0, losses: !whole, needsLast: false }),
  });

/** The work of the criteria that can be cut; a criterion's file takes its own from here. */
export const CUT_WORK = { ppl: cutSweep(sweepWork) } as const satisfies Partial<Record<Criterion, CutWork>>;

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
