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

/** @throws Error for rows that a tensor of `all` rows does not have: their bytes would be those of another tensor */
export function requireRows({ start, count }: Rows, all: number): void {
  if (start >= 0 && count >= 0 && start + count <= all) return;
  throw new Error(`there are no rows from ${start} to ${start + count}: the tensor has ${all}`);
}
