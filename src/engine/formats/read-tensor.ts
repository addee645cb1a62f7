/** Numbers and bytes of stored tensors. Callers need not know their position in the file. */
import { UserError } from '../errors';
import { type RegularFile, withFile } from '../files/regular-file';
import { isBlockType, isReadable } from './dtype';
import { dequantize } from './gguf/dequantize';
import { TENSOR_TYPES_BY_NAME } from './gguf/types';
import { rowsOfHalves } from './joined';
import { bytesOfRows, type StoredTensor, storedTensor } from './stored-tensor';
import { requireRows, type Rows, type TensorInfo, type Tiled } from './tensor';
import { columnsMoved, fileLine, runsOf } from './tiled';
import { widen } from './widen';
import { readColumns, readPackedRows } from './woven';

/**
 * A tensor's numbers, or some of its rows, widened to float32.
 * @throws UserError when the file cannot be read or the dtype not widened
 */
export async function readTensor(tensor: TensorInfo, rows?: Rows): Promise<Float32Array> {
  const stored = storedTensor(tensor);
  if (!stored.scales) requireReadable(tensor);
  return withFile(stored.file, (file) => readRows(file, stored, rows));
}

/**
 * Some rows of a tensor, or all of them, from its open file: widened to float32, row by row, in the model's order.
 * @throws UserError when the file cannot be read or the dtype not widened
 */
export async function readRows(file: RegularFile, tensor: StoredTensor, rows?: Rows): Promise<Float32Array> {
  if (tensor.halves) return readHalves(file, tensor, tensor.halves, rowsAsked(tensor, rows));
  if (tensor.scales) {
    const asked = rowsAsked(tensor, rows);
    if (tensor.scales.file === tensor.file) return readPackedRows(file, tensor, asked, file);
    return withFile(tensor.scales.file, (scales) => readPackedRows(file, tensor, asked, scales));
  }
  requireReadable(tensor);
  const { dtype, shape } = tensor;
  const count = rows?.count ?? shape[0] ?? 1;
  const bytes = await readRowBytes(file, tensor, rows);
  const width = shape.slice(1).reduce((a, b) => a * b, 1);
  const values = new Float32Array(count * width);
  if (isBlockType(dtype)) dequantize(bytes, dtype, values);
  else widen(bytes, dtype, values);
  return ofModel(values, width, tensor);
}

/** Rows of a tensor in two, whose halves may differ in type. @param file with the upper half */
async function readHalves(
  file: RegularFile,
  { shape }: StoredTensor,
  halves: NonNullable<TensorInfo['halves']>,
  asked: Rows,
): Promise<Float32Array> {
  const width = shape.slice(1).reduce((a, b) => a * b, 1);
  const values = new Float32Array(asked.count * width);
  const [upper, lower] = halves.map(storedTensor);
  const [first, second] = rowsOfHalves(upper.shape[0], asked);
  if (first.count > 0) values.set(await readRows(file, upper, first));
  if (second.count === 0) return values;
  const read = (other: RegularFile): Promise<Float32Array> => readRows(other, lower, second);
  values.set(await (lower.file === upper.file ? read(file) : withFile(lower.file, read)), first.count * width);
  return values;
}

/** Numbers of the model from those of the file, row by row. */
function ofModel(values: Float32Array, width: number, { above, tiled, power }: StoredTensor): Float32Array {
  if (above !== undefined) return values.map((value) => value - above);
  if (power) return values.map((value) => Math.log(-value));
  return tiled?.axis === 'columns' ? columnsMoved(values, width, (column) => fileLine(tiled, column)) : values;
}

/**
 * The same rows as they are stored, one after another.
 * @throws UserError when the file cannot be read
 */
export async function readRowBytes(file: RegularFile, tensor: StoredTensor, rows?: Rows): Promise<Buffer> {
  const { paired, woven, tiled, halves } = tensor;
  if (halves) throw new Error(`the bytes of ${tensor.name} lie in two tensors`);
  if (woven) return readColumns(file, tensor, woven, rowsAsked(tensor, rows));
  if (tiled?.axis === 'rows') return readTiled(file, tensor, tiled, rowsAsked(tensor, rows));
  if (paired === undefined) {
    const { offset, bytes } = bytesOfRows(tensor, rows);
    return file.readRange(offset, bytes);
  }
  const asked = rowsAsked(tensor, rows);
  const heads = wholeHeads(asked, paired);
  const { offset, bytes } = bytesOfRows(tensor, heads);
  return unpaired(await file.readRange(offset, bytes), asked, heads, paired);
}

async function readTiled(file: RegularFile, tensor: StoredTensor, tiled: Tiled, asked: Rows): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for (const run of runsOf(asked, (row) => fileLine(tiled, row))) {
    const { offset, bytes } = bytesOfRows(tensor, run);
    pieces.push(await file.readRange(offset, bytes));
  }
  return Buffer.concat(pieces);
}

/** @throws Error for rows that the tensor does not have */
function rowsAsked({ shape }: StoredTensor, rows: Rows | undefined): Rows {
  const asked = rows ?? { start: 0, count: shape[0] };
  requireRows(asked, shape[0]);
  return asked;
}

/** The rows of the heads that have some of `rows`. */
function wholeHeads({ start, count }: Rows, headDim: number): Rows {
  const first = Math.floor(start / headDim);
  return { start: first * headDim, count: Math.ceil((start + count) / headDim) * headDim - first * headDim };
}

/** Row j of a head lies at 2j, row headDim / 2 + j at 2j + 1. @param heads the rows in `stored` */
function unpaired(stored: Buffer, { start, count }: Rows, heads: Rows, headDim: number): Buffer {
  const perRow = stored.length / heads.count;
  const bytes = Buffer.alloc(count === 0 ? 0 : count * perRow);
  for (let i = 0; i < count; i++) {
    const from = storedRow(start + i, headDim) - heads.start;
    stored.copy(bytes, i * perRow, from * perRow, (from + 1) * perRow);
  }
  return bytes;
}

/** Where row `row` of the model lies in a file with paired rows. */
export function storedRow(row: number, headDim: number): number {
  const [inside, half] = [row % headDim, headDim / 2];
  return row - inside + (inside < half ? 2 * inside : 2 * (inside - half) + 1);
}

function requireReadable({ name, dtype }: Pick<TensorInfo, 'name' | 'dtype'>): void {
  if (isReadable(dtype)) return;
  const action = 'Use float32, float16 or bfloat16 tensors, or a GGUF type that Coppice reads.';
  throw new UserError(`Cannot read ${name}`, `its dtype is ${dtype}`, action);
}

/** Bytes of a piece, about: it is a whole number of elements or blocks. */
const PIECE_BYTES = 4 * 2 ** 20;

/** Passes a tensor's bytes to `use`, piece by piece. The next piece overwrites the buffer. */
export type EachPiece = (use: (piece: Uint8Array) => void) => Promise<void>;

/**
 * Opens a tensor's file for `body`. `body` can read its bytes several times.
 * @throws UserError when the file cannot be read
 */
export function withPieces<T>(tensor: TensorInfo, body: (each: EachPiece) => Promise<T>): Promise<T> {
  if (tensor.halves) throw new Error(`the bytes of ${tensor.name} lie in two tensors`);
  const { file, offset, bytes } = storedTensor(tensor);
  return withFile(file, (opened) => {
    const unit = TENSOR_TYPES_BY_NAME.get(tensor.dtype)?.blockBytes ?? 1;
    const most = PIECE_BYTES - (PIECE_BYTES % unit);
    const buffer = Buffer.alloc(Math.min(most, bytes));
    return body(async (use) => {
      for (let at = 0; at < bytes; at += most) {
        const piece = buffer.subarray(0, Math.min(most, bytes - at));
        await opened.readInto(piece, offset + at);
        use(piece);
      }
    });
  });
}
