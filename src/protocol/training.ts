/** Retraining: what heals a pruned model. */
import type { JobBase } from './jobs';
import type { RemovedEntry } from './json';

/** Trains an adapter on a checkpoint or a view of it, or all of its weights. */
export interface RetrainSpec extends JobBase {
  readonly kind: 'retrain';
  readonly checkpoint: string;
  /** Whole blocks to leave out. */
  readonly remove?: readonly RemovedEntry[];
  /** What `coppice retrain` is told by its options, by their names. */
  readonly settings: Readonly<Record<string, unknown>>;
  /** Folder of the adapter or model; must not exist unless the run is resumed. */
  readonly out: string;
  /** Go on where an interrupted run of the same settings stopped. */
  readonly resume?: boolean;
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

export interface RetrainResult {
  readonly steps: number;
  readonly finalLoss: number;
  readonly out: string;
  readonly seconds: number;
}
