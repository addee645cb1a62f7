/** Retraining: what heals a pruned model. */
import type { DataDescription } from '../engine/retrain/data/load';

/** The run is set up: how many steps it will have, with what. */
export interface TrainingStartEvent {
  readonly type: 'start';
  readonly steps: number;
  readonly batch: number;
  readonly learningRate: number;
  /** Steps over which the learning rate rises. */
  readonly warmup: number;
  /** Parameters that are trained. */
  readonly parameters: number;
  readonly data: DataDescription;
  /** Rows of the step with the fewest and of the one with the most. */
  readonly rows: readonly [least: number, most: number];
  /** Goes on with a run that was stopped. */
  readonly resumed: boolean;
  /** Settings that were given and make no difference, as nothing is held out. */
  readonly idle: readonly ('evalEvery' | 'patience')[];
}

/** A step is done. */
export interface TrainingStepEvent {
  readonly type: 'step';
  readonly step: number;
  readonly loss: number;
  readonly learningRate: number;
  readonly gradientNorm: number;
  readonly tokens: number;
  readonly seconds: number;
}

/** An evaluation on the held-out part. */
export interface TrainingEvaluationEvent {
  readonly type: 'evaluation';
  readonly step: number;
  readonly loss: number;
  readonly ppl: number;
}

/** The unpruned model on the held-out part. */
export interface TrainingUnprunedEvent {
  readonly type: 'unpruned';
  readonly loss: number;
  readonly ppl: number;
}

/** What a training tells while it runs. */
export type TrainingEvent = TrainingStartEvent | TrainingUnprunedEvent | TrainingStepEvent | TrainingEvaluationEvent;
