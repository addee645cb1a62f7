/** What a file's header says of its tensors. Where their bytes are is for `formats`, `weights` and `write`: stored-tensor.ts. */
import type { Dtype } from './dtype';

/** One tensor of a checkpoint. */
export interface TensorInfo {
  readonly name: string;
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  /** Size of its data. */
  readonly bytes: number;
}

/** A stretch of rows: elements of a vector, rows of a matrix. */
export interface Rows {
  readonly start: number;
  readonly count: number;
}
