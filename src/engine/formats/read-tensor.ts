/** Numbers and bytes of stored tensors. Callers need not know their position in the file. */
import { UserError } from '../errors';
import { type RegularFile, withFile } from '../files/regular-file';
import { isWeightDtype } from './dtype';
import { bytesOfRows, type StoredTensor, storedTensor } from './stored-tensor';
import type { Rows, TensorInfo } from './tensor';
import { widen } from './widen';

/**
 * A tensor's numbers, or some of its rows, widened to float32.
 * @throws UserError when the file cannot be read or the dtype not widened
 */
export async function readTensor(tensor: TensorInfo, rows?: Rows): Promise<Float32Array> {
  const stored = storedTensor(tensor);
  requireWeightDtype(tensor);
  return withFile(stored.file, (file) => readRows(file, stored, rows));
}

/**
 * Some rows of a tensor, or all of them, from its open file: widened to float32, row by row.
 * @throws UserError when the file cannot be read or the dtype not widened
 */
export async function readRows(file: RegularFile, tensor: StoredTensor, rows?: Rows): Promise<Float32Array> {
  const { name, dtype, shape } = tensor;
  requireWeightDtype({ name, dtype });
  const { offset, bytes } = bytesOfRows(tensor, rows);
  const buffer = await file.readRange(offset, bytes);
  const [all, ...row] = shape;
  const count = row.reduce((a, b) => a * b, rows?.count ?? all ?? 1);
  return widen(buffer, dtype, new Float32Array(count));
}

function requireWeightDtype({ name, dtype }: Pick<TensorInfo, 'name' | 'dtype'>): void {
  if (isWeightDtype(dtype)) return;
  throw new UserError(`Cannot read ${name}`, `its dtype is ${dtype}`, 'Use float32, float16 or bfloat16 tensors.');
}

/** Bytes of a piece: a multiple of every element size. */
const PIECE_BYTES = 4 * 2 ** 20;

/** Passes a tensor's bytes to `use`, piece by piece. The next piece overwrites the buffer. */
export type EachPiece = (use: (piece: Uint8Array) => void) => Promise<void>;

/**
 * Opens a tensor's file for `body`. `body` can read its bytes several times.
 * @throws UserError when the file cannot be read
 */
export function withPieces<T>(tensor: TensorInfo, body: (each: EachPiece) => Promise<T>): Promise<T> {
  const { file, offset, bytes } = storedTensor(tensor);
  return withFile(file, (opened) => {
    const buffer = Buffer.alloc(Math.min(PIECE_BYTES, bytes));
    return body(async (use) => {
      for (let at = 0; at < bytes; at += PIECE_BYTES) {
        const piece = buffer.subarray(0, Math.min(PIECE_BYTES, bytes - at));
        await opened.readInto(piece, offset + at);
        use(piece);
      }
    });
  });
}
