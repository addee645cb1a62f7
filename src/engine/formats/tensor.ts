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
  /** Set if rows or columns of heads lie in another order. Reading gives the model's. */
  readonly tiled?: Tiled;
  /** Set if the file has −e^x in place of each number x. Reading gives x. */
  readonly power?: true;
  /** Set if the rows lie among those of other weights. Reading gives the model's. */
  readonly woven?: Woven;
  /** Set if its rows lie in two tensors of a file (joined.ts): these, in order. */
  readonly halves?: readonly [upper: TensorInfo, lower: TensorInfo];
}

/** Whether the bytes of a tensor are the numbers of the model in its order. */
export const liesAsInModel = ({ paired, above, tiled, power, woven, halves }: Partial<TensorInfo>): boolean =>
  [paired, above, tiled, power, woven, halves].every((differs) => differs === undefined);

/** Heads in another order (tiled.ts). */
export interface Tiled {
  readonly axis: 'rows' | 'columns';
  /** Lines before it stay where they are. */
  readonly first: number;
  /** Lines of a head. */
  readonly width: number;
  /** Groups of heads, and the heads of each. */
  readonly groups: number;
  readonly each: number;
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
