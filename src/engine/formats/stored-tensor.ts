/** Where the bytes of a tensor are. Only `formats`, `weights` and `write` import this file (test/unit/house/walls.test.ts). */
import { requireRows, type Rows, type TensorInfo } from './tensor';

/** A tensor and its position in a file. */
export interface StoredTensor extends TensorInfo {
  /** Absolute path of the file that holds the bytes, symbolic links resolved. */
  readonly file: string;
  /** Position of the first byte in `file`. */
  readonly offset: number;
  /** It is these rows of the tensor in the file, in this order: shape and bytes are theirs. All rows when absent. */
  readonly rows?: readonly number[];
  /** Where the scales of its blocks begin, if they lie apart (mxfp4.ts). */
  readonly scales?: { readonly file: string; readonly offset: number };
}

/** Some rows of a tensor as a tensor. Its rows are whole bytes. */
export function rowsOfStored(tensor: StoredTensor, rows: readonly number[]): StoredTensor {
  const [all, ...width] = tensor.shape;
  return { ...tensor, shape: [rows.length, ...width], bytes: (tensor.bytes / all) * rows.length, rows };
}

/** Where the bytes of a tensor are, one range after the other. */
export function rangesOf({
  file,
  offset,
  bytes,
  rows,
}: StoredTensor): { file: string; offset: number; bytes: number }[] {
  if (rows === undefined) return [{ file, offset, bytes }];
  const perRow = bytes / rows.length;
  return rows.map((row) => ({ file, offset: offset + row * perRow, bytes: perRow }));
}

/** The tensor with its position. @throws Error for a tensor without a file, which is a bug */
export function storedTensor(tensor: TensorInfo): StoredTensor {
  if (isStored(tensor)) return tensor;
  throw new Error(`no file holds ${tensor.name}`);
}

function isStored(tensor: TensorInfo): tensor is StoredTensor {
  return 'file' in tensor && 'offset' in tensor;
}

/** The byte range of some rows of a tensor in its file; all rows when undefined. A scalar is one row. @throws Error for rows beyond the tensor */
export function bytesOfRows(tensor: StoredTensor, rows?: Rows): { file: string; offset: number; bytes: number } {
  const { file, offset, bytes, shape } = tensor;
  if (rows === undefined) return { file, offset, bytes };
  const all = shape.length > 0 ? shape[0] : 1;
  requireRows(rows, all);
  const perRow = bytes / all;
  return { file, offset: offset + rows.start * perRow, bytes: rows.count * perRow };
}
