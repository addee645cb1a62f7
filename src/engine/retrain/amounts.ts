/** How much of its data a retraining takes in a step and in a pass. Pure: the run does it, and what is said before follows from it. */
import { evaluationSize } from './data/held-out';
import { heldOutOf } from './data/options';
import { stepsPerEpoch } from './data/order';
import { DEFAULTS } from './defaults';
import { PASSES_PER_STEP } from './loop/schedule';

/**
 * Tokens of a micro-batch. Those of adapters stay in the caches between small operators. After every micro-batch of a training of
 * every weight, a gradient of each is copied out of onnxruntime, so these are larger.
 */
export const TOKENS_PER_RUN = { lora: 512, full: 1024 } as const;

/** Minimum steps per epoch for little data; the batch shrinks to reach it. */
const STEPS_PER_EPOCH = 50;
export const MIN_BATCH = 4;

/** Rows of a step, where none are asked for. @param examples rows that are trained on */
export const usualBatch = (examples: number): number =>
  Math.min(examples, DEFAULTS.batch, Math.max(MIN_BATCH, Math.floor(examples / STEPS_PER_EPOCH)));

/** Steps of some passes over the data, at least one. @param examples rows that are trained on */
export const stepsOfPasses = (passes: number, examples: number, batch: number): number =>
  Math.max(1, Math.round(passes * stepsPerEpoch(examples, batch)));

/** Rows that are trained on: those that are not held out, at least one. @param rows of the data @param heldOut as the setting */
export const trainedRows = (rows: number, heldOut?: number): number => Math.max(1, rows - heldOutOf(rows, heldOut));

/** Rows of each evaluation. @param rows of the data @param heldOut as the setting */
export const evaluatedRows = (rows: number, heldOut?: number): number => evaluationSize(heldOutOf(rows, heldOut));

/** Most evaluations where none are asked for, and their most as a share of the training's passes. */
const EVALUATIONS = 10;
const EVALUATIONS_SHARE = 0.15;

/** Evaluations after the first step, where no interval is asked for. @param trained rows, each as often as it is read @param evaluated rows of an evaluation */
export const usualEvaluations = (trained: number, evaluated: number): number =>
  Math.min(
    EVALUATIONS,
    Math.max(1, Math.floor((EVALUATIONS_SHARE * PASSES_PER_STEP * trained) / Math.max(1, evaluated))),
  );

/** On the way back, a frozen weight has the product for its input alone, a trained one that for its own gradient too. */
const EVERY_WEIGHT = 3 / 2;

/** Rows that, passed forward, take as long as training on some. @param full every weight is trained, and not an adapter */
export const passesOf = (rows: number, full: boolean): number => PASSES_PER_STEP * (full ? EVERY_WEIGHT : 1) * rows;

/** Saved states of a run. */
const SAVES = 20;

/** Steps between saved states, where none are asked for. */
export const usualSaveEvery = (steps: number): number => Math.min(DEFAULTS.saveEvery, Math.ceil(steps / SAVES));
