/** Speed and memory of models over batches M and lengths L. */
import type { Precision } from '../engine/precision';
import type { GridCell, ModelGrid, Rates } from '../engine/evaluate/grid/result';
import type { ColumnInfo } from './samples';

export type { CellFigures, GridCell } from '../engine/evaluate/grid/result';

/** A model of the grid. */
export interface GridModel extends ColumnInfo {
  readonly parameters?: number;
  /** Bytes of its tensors. */
  readonly bytes?: number;
  /** Blocks with attention or FFN. */
  readonly blocks?: number;
  /** N / (N − n): the speed-up against the first model if time were blocks alone. */
  readonly ideal?: ModelGrid['ideal'];
  readonly promptTokens?: number;
  /** One for each length and batch, lengths first. */
  readonly cells: readonly GridCell[];
  /** Why it could not be measured; then it has no cells. */
  readonly failure?: string;
}

/** Speed and memory of models over batches and lengths. */
export interface GridResult {
  /** Texts side by side (M), and new tokens of each (L), ascending. */
  readonly batches: readonly number[];
  readonly newTokens: readonly number[];
  /** Measured runs of a cell, and those before them that do not count. */
  readonly runs: number;
  readonly warmup: number;
  /** What the texts begin with, in words. */
  readonly prompt: string;
  /** The first model is the one that others are compared with. */
  readonly models: readonly GridModel[];
  /** Rates of the device before and after. */
  readonly rates: Rates;
  /** Bytes that a model's process may take; cells beyond it were not run. */
  readonly limitBytes: number;
  /** Whether the models took turns, run by run. */
  readonly inTurns: boolean;
  readonly environment: GridEnvironment;
  readonly seconds: number;
  readonly device: string;
  readonly precision: Precision;
}

/** Where it was measured. */
export interface GridEnvironment {
  readonly processor: string;
  readonly threads: number;
  readonly dtype: Precision;
  readonly attention: string;
  readonly cache: string;
  readonly coppice: string;
  readonly onnxruntime: string;
  readonly node: string;
  readonly system: string;
  /** Mean number of waiting programs in the minute before; null where the system does not tell. */
  readonly loadBefore: number | null;
}
