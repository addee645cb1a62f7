/** Retraining: what heals a pruned model. */
import type { RetrainSettings } from '../engine/retrain/settings';
import type { JobBase } from './jobs';
import type { RemovedEntry } from './json';

/** Trains an adapter on a checkpoint or a view of it, or all of its weights. */
export interface RetrainSpec extends JobBase {
  readonly kind: 'retrain';
  readonly checkpoint: string;
  /** Whole blocks to leave out. */
  readonly remove?: readonly RemovedEntry[];
  /** Hyper-parameters and data; what is undefined is the paper's, or follows from the data. */
  readonly settings: Omit<RetrainSettings, 'out' | 'resume'>;
  /** Folder of the adapter or checkpoint; must not exist. */
  readonly out: string;
  /** Go on where an interrupted run of the same settings stopped. */
  readonly resume?: boolean;
  /** A model whose probabilities are learnt too. */
  readonly teacher?: {
    /** Its checkpoint; the student's own, unpruned, when undefined. */
    readonly checkpoint?: string;
    /** Its part in the loss, above 0 and at most 1. */
    readonly weight: number;
  };
}

/** The run is set up: how many steps it will have, with what. */
export interface TrainingStartEvent {
  readonly type: 'start';
  readonly steps: number;
  readonly batch: number;
  readonly learningRate: number;
  /** Parameters that are trained. */
  readonly parameters: number;
  /** Goes on with a run that was stopped. */
  readonly resumed: boolean;
}

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

export type TrainingEvent = TrainingStartEvent | TrainingStepEvent | TrainingEvaluationEvent;

/** The trace of every step is in the record, and came as events. */
export interface RetrainResult {
  readonly kind: 'adapter' | 'checkpoint';
  /** Absolute. */
  readonly out: string;
  readonly steps: number;
  readonly evaluations: readonly Omit<TrainingEvaluationEvent, 'type'>[];
  /** The evaluation whose parameters were kept; null where nothing is held out. */
  readonly best: Omit<TrainingEvaluationEvent, 'type'> | null;
  readonly parameters: number;
  readonly removed: readonly number[];
  readonly tokensPerSecond: number;
  readonly seconds: number;
  readonly peakRssBytes: number;
}
