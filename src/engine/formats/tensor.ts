/**
 * What a file's header says about its tensors. Their positions are in stored-tensor.ts, for `formats`, `weights` and
 * `write`.
 */
import type { Dtype } from './dtype';

/** One tensor of a checkpoint. */
export interface TensorInfo {
  readonly name: string;
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  /** Size of its data. */
  readonly bytes: number;
}

/** A range of rows: elements of a vector, rows of a matrix. */
export interface Rows {
  readonly start: number;
  readonly count: number;
}
