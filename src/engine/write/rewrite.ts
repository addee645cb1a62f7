/**
 * Writes tensors that are not copied. Their numbers arrive in double precision and are rounded to float32, and from
 * there once to the stored type. Some rows are written at a time, so a tensor of any size needs the memory of one
 * piece.
 */
import { setImmediate } from 'node:timers/promises';
import { ELEMENT_BYTES, narrow, OVERFLOW } from '../formats/narrow';
import type { WeightDtype } from '../formats/dtype';
import { isQuantized, quantize, QUANTIZED_LIMIT, type QuantizedDtype } from '../formats/gguf/quantize';
import { bytesOfElements } from '../formats/gguf/types';
import type { Rows } from '../formats/tensor';
import { throwIfCancelled, UserError } from '../errors';
import { option } from '../option-token';
import type { CopyOptions } from '../files/copy';
import type { OutputFile } from '../files/output-file';
import { rowWidth } from '../weights/source';

/** The types that numbers are rounded to. Only GGUF files have the quantized ones. */
export type RewrittenDtype = WeightDtype | QuantizedDtype;

/** A tensor whose bytes are not copied. */
export interface Rewrite<D extends RewrittenDtype = WeightDtype> {
  /** The stored type. */
  readonly dtype: D;
  readonly shape: readonly number[];
  /** Its numbers in some rows; each element of a vector is a row. @throws UserError when a file cannot be read */
  readonly read: (rows: Rows) => Promise<Float64Array>;
  /**
   * Of the columns, where a quantized type is to round the more important ones less; of equal matrices on top of each other, those of one after
   * the other.
   */
  readonly importance?: Float32Array;
}

/** Numbers of a piece: some milliseconds of work, and a few megabytes. */
const PIECE = 2 ** 18;

/**
 * Writes the tensor `name` into `target` from `position`.
 * @throws UserError for a number that the type cannot hold, CancelledError
 */
export async function writeRewritten(
  target: OutputFile,
  position: number,
  { name, rewrite }: { readonly name: string; readonly rewrite: Rewrite<RewrittenDtype> },
  options: CopyOptions,
): Promise<void> {
  let at = position;
  for (const rows of piecesOf(rewrite)) {
    throwIfCancelled(options.signal);
    const bytes = await rewritten(name, rewrite, rows);
    await writePiece(target, at, bytes, options);
    at += bytes.length;
    await setImmediate();
  }
}

/** The rows of a tensor, some at a time. */
export function piecesOf({ shape }: Pick<Rewrite, 'shape'>): Rows[] {
  const rows = rowsOf({ shape });
  const atATime = Math.max(1, Math.floor(PIECE / rowWidth(shape)));
  return Array.from({ length: Math.ceil(rows / atATime) }, (_, i) => ({
    start: i * atATime,
    count: Math.min(atATime, rows - i * atATime),
  }));
}

/** Writes bytes at their place. */
export async function writePiece(
  target: OutputFile,
  position: number,
  bytes: Uint8Array,
  options: CopyOptions,
): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    done += (await target.handle.write(bytes, done, bytes.length - done, position + done)).bytesWritten;
  }
  options.onBytes?.(bytes.length);
  await target.wrote(bytes.length);
}

/** Some rows, in parts that have the same importance of their columns: of a stack, those of each matrix. */
export function weighedParts(
  { shape, importance }: Pick<Rewrite, 'shape' | 'importance'>,
  rows: Rows,
): { readonly rows: Rows; readonly importance?: Float32Array }[] {
  if (!importance) return [{ rows }];
  const columns = rowWidth(shape);
  const perMatrix = rowsOf({ shape }) / (importance.length / columns);
  const parts: { readonly rows: Rows; readonly importance: Float32Array }[] = [];
  for (let start = rows.start; start < rows.start + rows.count;) {
    const matrix = Math.floor(start / perMatrix);
    const count = Math.min((matrix + 1) * perMatrix, rows.start + rows.count) - start;
    parts.push({ rows: { start, count }, importance: importance.subarray(matrix * columns, (matrix + 1) * columns) });
    start += count;
  }
  return parts;
}

/** Rows of the tensor; a scalar is one. */
export function rowsOf({ shape }: Pick<Rewrite, 'shape'>): number {
  return shape.length > 0 ? shape[0] : 1;
}

/** The bytes of some rows of the tensor `name`. @throws UserError for a number that the type cannot hold */
export async function rewritten(name: string, rewrite: Rewrite<RewrittenDtype>, rows: Rows): Promise<Uint8Array> {
  const { dtype } = rewrite;
  const values = await roundedRows(name, rewrite, rows);
  if (!isQuantized(dtype)) return narrow(values, dtype, new Uint8Array(values.length * ELEMENT_BYTES[dtype]));
  const bytes = new Uint8Array(bytesOfElements(dtype, values.length));
  const [perRow, width] = [bytes.length / rows.count, rowWidth(rewrite.shape)];
  for (const { rows: part, importance } of weighedParts(rewrite, rows)) {
    const [from, to] = [part.start - rows.start, part.start - rows.start + part.count];
    const own = values.subarray(from * width, to * width);
    quantize(own, dtype, bytes.subarray(from * perRow, to * perRow), importance);
  }
  return bytes;
}

/** Some rows of the tensor `name` in float32. @throws UserError for a number that the type cannot hold */
export async function roundedRows(
  name: string,
  { dtype, read }: Rewrite<RewrittenDtype>,
  rows: Rows,
): Promise<Float32Array> {
  const exact = await read(rows);
  const values = new Float32Array(exact.length);
  const quantized = isQuantized(dtype);
  const limit = quantized ? QUANTIZED_LIMIT[dtype] : OVERFLOW[dtype];
  for (let i = 0; i < exact.length; i++) {
    // Infinite numbers of the source stay infinite, where the type has them.
    if (!(Math.abs(exact[i]) < limit) && (quantized || Number.isFinite(exact[i])))
      throw unstorable(name, dtype, exact[i]);
    values[i] = exact[i];
  }
  return values;
}

function unstorable(name: string, dtype: RewrittenDtype, value: number): UserError {
  const what = `"${name}" cannot be stored as ${dtype}`;
  if (isQuantized(dtype)) {
    const why = Number.isFinite(value)
      ? `it holds ${value.toPrecision(6)}, and its scale would become infinite`
      : `it holds ${String(value)}, which the type does not have`;
    return new UserError(what, why, 'Choose f32 or bf16 if the model is sound.');
  }
  return new UserError(
    what,
    `it holds ${value.toPrecision(6)}, and numbers of ${OVERFLOW[dtype]} or more would become infinite`,
    dtype === 'F32'
      ? 'Its training diverged; use an earlier adapter.'
      : `Choose ${option('dtype', 'bf16')} or ${option('dtype', 'f32')}.`,
  );
}
