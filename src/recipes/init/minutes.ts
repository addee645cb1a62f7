/**
 * How much text a recipe writes and how long it trains, so that choosing blocks, healing and training take about so many minutes on
 * this machine. Pure: the times come from a function.
 */
import { trainedRows } from '../../engine/retrain/amounts';
import { MOST_PASSES, stepsWithin } from '../../jobs/retrain-amounts';
import { stepsPerEpoch } from '../../engine/retrain/data/order';

/** Rows of a step, and tokens of a row: many short steps come further in the same time than few long ones. */
export const TIMED = { batch: 4, length: 128 } as const;

/** The most text that is written for one training. More changes little, and takes more than a day to train on. */
const MOST_ROWS = 2 ** 16;

/** The length of a training. */
export interface TimedTraining {
  readonly steps: number;
  /** Tokens of text that the original writes; undefined where there are data. */
  readonly selfTokens?: number;
}

/** How long such a training takes, with what comes before it. */
export type TrainingSeconds = (training: TimedTraining) => number;

/** Rows of a step where so many are trained on. */
const batchOf = (rows: number): number => Math.min(TIMED.batch, rows);

/** Every row is read as often as repeating it teaches, of text that the original writes. */
function ofRows(rows: number): TimedTraining {
  const trained = trainedRows(rows);
  return {
    steps: MOST_PASSES * stepsPerEpoch(trained, batchOf(trained)),
    selfTokens: rows * TIMED.length,
  };
}

/**
 * The longest training on text that the original writes that takes no longer than `seconds`, of a row at least.
 * @param secondsOf more text never takes less
 */
export const ownTraining = (seconds: number, secondsOf: TrainingSeconds): TimedTraining =>
  ofRows(stepsWithin(seconds, MOST_ROWS, (rows) => secondsOf(ofRows(rows))));

/**
 * The longest training on data that takes no longer than `seconds`: at most as many passes as teach something, and one step at least.
 * @param examples rows of the data; some are held out
 */
export function dataTraining(seconds: number, examples: number, secondsOf: TrainingSeconds): TimedTraining {
  const trained = trainedRows(examples);
  const most = MOST_PASSES * stepsPerEpoch(trained, batchOf(trained));
  return { steps: stepsWithin(seconds, most, (steps) => secondsOf({ steps })) };
}
