/** Hyper-parameters of the training loop. */
import type { Schedule } from './schedule';

/** Defaults are in settings.ts. */
export interface TrainOptions extends Schedule {
  /** Rows per step; 64 in the paper. If the data fix the batches: the largest number. */
  readonly batch: number;
  /** Maximum total norm of the gradients; usually 1. */
  readonly clip: number;
  /** Decoupled weight decay; 0 for LoRA, 0.1 for continued pre-training. */
  readonly weightDecay: number;
  /** 0.9; beta2 is 0.999 for LoRA, 0.95 for continued pre-training. */
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  /** Seed of data order and dropout. */
  readonly seed: number;
  /** Steps between evaluations. */
  readonly evalEvery: number;
  /** Steps between saved states. */
  readonly saveEvery: number;
  /** Stop after this many evaluations without a better loss; never when undefined. */
  readonly patience?: number;
}
