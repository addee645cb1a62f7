/**
 * What a file's header says about its tensors. Their positions are in stored-tensor.ts, for `formats`, `weights` and
 * `write`.
 */
import type { StoredDtype } from './dtype';

/** One tensor of a checkpoint. */
export interface TensorInfo {
  readonly name: string;
  readonly dtype: StoredDtype;
  readonly shape: readonly number[];
  /** Size of its data. */
  readonly bytes: number;
  /**
   * Set if the rows of every head lie in the order of the pairs that are rotated together, as LLaMA's authors stored them
   * (queries and keys of GGUF files): the width of a head. Reading gives the rows in the model's order.
   */
  readonly paired?: number;
  /**
   * Set if the stored numbers are greater than the model's by this: GGUF files have Gemma's norms as 1 + w. Reading gives
   * the model's.
   */
  readonly above?: number;
  /** Set if the rows lie among those of other weights. Reading gives the model's. */
  readonly woven?: Woven;
}

/** Every `step`th line of a matrix, from line `first` on. */
export interface Woven {
  /** Rows; or columns of a matrix that lies transposed, (in, out). */
  readonly lines: 'rows' | 'columns';
  readonly first: number;
  readonly step: number;
  /** Lines in all. */
  readonly of: number;
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
