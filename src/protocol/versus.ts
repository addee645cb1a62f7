/** Depth against width at equal size: what models made in both ways are like, side by side. */
import type { Precision } from '../engine/precision';
import type { JsonNumber } from '../format/json';
import type { MeanSd } from '../engine/evaluate/grid/statistics';
import type { DepthMethod, VersusMethod } from '../engine/evaluate/versus-methods';
import type { WidthMethod } from '../engine/importance/width/methods';
import type { GridEnvironment } from './grid';
import type { RemovedEntry } from './json';
import type { PairedDifference } from './tasks';

/** A model of the comparison. */
export interface VersusModel {
  /** The model itself, a choice of blocks, a plan of the user's own, or a rival. */
  readonly method: 'whole' | 'plan' | DepthMethod | WidthMethod;
  readonly kind: 'whole' | 'depth' | 'width';
  readonly label: string;
  /** Blocks that are removed; of a rival, the blocks whose removal gives a model of its size. */
  readonly count: number;
  /** Empty for a rival. */
  readonly removed: readonly RemovedEntry[];
  /** The share that a rival was told to take from each block. */
  readonly ratio?: number;
  readonly parameters?: number;
  /** Blocks that are left; query heads and FFN neurons of them, mean and population deviation (Table 1). */
  readonly blocks?: number;
  readonly heads?: MeanSd;
  readonly ffn?: MeanSd;
  /** On the text of the comparison. */
  readonly ppl?: JsonNumber;
  readonly meanNll?: JsonNumber;
  /** Mean of the tasks, the difference to the whole model on the same items, and each task. */
  readonly accuracy?: number;
  readonly difference?: PairedDifference;
  readonly tasks?: readonly { readonly name: string; readonly accuracy: number }[];
  /** Seconds of a run, and tokens a second; all models took turns. */
  readonly latency?: MeanSd;
  readonly throughput?: MeanSd;
  /**
   * Bytes of weights, cache and activations, predicted: all models are open at a time, so that the process has the memory
   * of all.
   */
  readonly memoryBytes?: number;
  /** Of the throughput, against the whole model. */
  readonly speedUp?: number | null;
  /** Why there is no speed. */
  readonly speedFailure?: string;
  /** What it makes of the prompt, greedily. */
  readonly continuation?: string;
  /** To make this model alone: to score blocks, or to gather statistics, and to choose. */
  readonly pruningSeconds?: number;
  /** Why there is no such model; then it has no numbers. */
  readonly failure?: string;
}

/** Depth and width pruning at equal size. */
export interface VersusResult {
  readonly model: { readonly name: string; readonly identity: string };
  readonly methods: readonly VersusMethod[];
  /** Numbers of removed blocks, ascending, and the size of a model without as many. */
  readonly sizes: readonly { readonly count: number; readonly parameters: number }[];
  /** The whole model first, then size by size. */
  readonly models: readonly VersusModel[];
  /** What perplexity was measured on. */
  readonly text: {
    readonly from: 'text' | 'calibration';
    readonly name: string;
    readonly sha256: string;
    readonly rows: number;
    readonly length: number;
  };
  /** What the models continued; undefined without. */
  readonly prompt?: string;
  /** How speed was measured; undefined without. */
  readonly speed?: {
    readonly batch: number;
    readonly newTokens: number;
    readonly runs: number;
    readonly warmup: number;
    readonly prompt: string;
    readonly inTurns: boolean;
    readonly environment: GridEnvironment;
  };
  /** Cancelled: what was measured until then stands, and the rest is missing. */
  readonly ended: 'done' | 'cancelled';
  readonly seconds: number;
  readonly device: string;
  readonly precision: Precision;
}
