/** Short requests: they run between the slices of the long job, which waits for them. */
import type { CalibrationInfo } from '../jobs/results/score';
import type { CalibrationSource, Compute, JobSpec, ModelSource } from './jobs';
import type { JsonNumber } from '../format/json';

/** Numbers about the values of one tensor. */
export interface TensorStatisticsParams {
  /** Of the caller's choice: progress is reported under it. */
  readonly id: string;
  readonly checkpoint: string;
  readonly tensor: string;
}

export type { TensorStatistics } from '../engine/checkpoint/statistics';

/** The parts of a run to make one run of. */
export interface GatherParams {
  /** Of the partial records. */
  readonly folder: string;
  /** The job of the parts, with its folders for the record. */
  readonly spec: JobSpec;
}

/** Perplexity of a plan on calibration rows. Nothing is written; the newest request wins. */
export interface ViewPerplexityParams extends ModelSource, Compute {
  readonly calibration: CalibrationSource;
  /** Also measures the model with none of its blocks removed. */
  readonly whole?: true;
  /** Answers in int8 if this processor can, with the whole model in int8 too, and without KL divergence: sooner, and only roughly right. */
  readonly quick?: true;
}

/** What the first such question about a model needs, computed while the process has nothing else to do. */
export interface ViewPrepareParams extends Omit<ModelSource, 'remove'>, Compute {
  readonly calibration: CalibrationSource;
  /** Its perplexity too. */
  readonly whole?: true;
}

/** `prepared` is false where something else had to be done, or where it would take more than a few seconds; then nothing else is there. */
export interface ViewPrepared {
  readonly prepared: boolean;
  /** What preparing took with the model open: a first answer takes less. */
  readonly seconds?: number;
  readonly calibration?: CalibrationInfo;
  /** The model with none of its blocks removed, if the request asks for it. */
  readonly whole?: { readonly ppl: JsonNumber };
}

/** From so many seconds for an answer in float32, a quick one is asked for first. */
export const SLOW_ANSWER_S = 1;

export interface ViewPerplexity {
  readonly ppl: JsonNumber;
  readonly meanNll: JsonNumber;
  readonly tokens: number;
  /** Mean KL divergence from the whole model in nats, and share of tokens that both find most likely; absent for itself and in quick answers. */
  readonly kl?: JsonNumber;
  readonly top1?: JsonNumber;
  /** What these numbers were computed in: float32, or int8 per row. */
  readonly precision: string;
  /** How many of the rows a quick answer has read, the first ones, where all of them would take too long; the original's too. */
  readonly readRows?: number;
  readonly parameters: number;
  readonly bytes: number;
  readonly calibration: CalibrationInfo;
  /** The model with none of its blocks removed, if the request asks for it. */
  readonly whole?: { readonly ppl: JsonNumber };
  /** Blocks or modules computed for the plan, and its total: the rest came from the plan before. */
  readonly stepsComputed: number;
  readonly steps: number;
  readonly seconds: number;
}
