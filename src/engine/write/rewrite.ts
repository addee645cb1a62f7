/**
 * Tensors that do not go into the new checkpoint as they are: their numbers are widened, changed in double precision,
 * rounded to float32 and from there once to the type that they are stored in. A piece at a time, so that a tensor of any
 * size costs the memory of one piece.
 */
import { setImmediate } from 'node:timers/promises';
import { ELEMENT_BYTES, narrow, OVERFLOW } from '../formats/narrow';
import type { WeightDtype } from '../formats/dtype';
import { isWeightDtype } from '../formats/dtype';
import type { StoredTensor } from '../formats/stored-tensor';
import { widen } from '../formats/widen';
import { throwIfCancelled, UserError } from '../errors';
import { option } from '../option-token';
import type { CopyOptions } from '../files/copy';
import type { OpenFiles } from '../files/open-files';
import type { OutputFile } from '../files/output-file';

/** What happens to a tensor on its way. */
export interface Rewrite {
  /** The type that it is stored in afterwards. */
  readonly dtype: WeightDtype;
  /** Changes consecutive numbers in place; `start` is the index of the first of them in the tensor, row by row. */
  readonly change?: (values: Float64Array, start: number) => void;
}

/** Numbers of a piece: some milliseconds of work, and a few megabytes. */
const PIECE = 2 ** 18;

/**
 * Writes the changed tensor into `target` from `position`.
 * @throws UserError for a number that the new type cannot hold, CancelledError
 */
export async function writeRewritten(
  target: OutputFile,
  position: number,
  source: StoredTensor,
  rewrite: Rewrite,
  files: OpenFiles,
  options: CopyOptions,
): Promise<void> {
  const count = source.shape.reduce((product, extent) => product * extent, 1);
  for (let start = 0; start < count; start += PIECE) {
    throwIfCancelled(options.signal);
    const bytes = await rewritten(source, rewrite, start, Math.min(PIECE, count - start), files);
    const at = position + start * ELEMENT_BYTES[rewrite.dtype];
    for (let done = 0; done < bytes.length;) {
      done += (await target.handle.write(bytes, done, bytes.length - done, at + done)).bytesWritten;
    }
    options.onBytes?.(bytes.length);
    await target.wrote(bytes.length);
    await setImmediate();
  }
}

/** The new bytes of `count` numbers of the tensor from number `start` on. @throws UserError when the type overflows */
export async function rewritten(
  source: StoredTensor,
  { dtype, change }: Rewrite,
  start: number,
  count: number,
  files: OpenFiles,
): Promise<Uint8Array> {
  if (!isWeightDtype(source.dtype)) throw new Error(`${source.name} has dtype ${source.dtype}`);
  const size = ELEMENT_BYTES[source.dtype];
  const stored = await (await files.get(source.file)).readRange(source.offset + start * size, count * size);
  const values = widen(stored, source.dtype, new Float32Array(count));
  const exact = Float64Array.from(values);
  change?.(exact, start);
  const limit = OVERFLOW[dtype];
  for (let i = 0; i < count; i++) {
    // What is infinite in the source stays so.
    if (Math.abs(exact[i]) >= limit && Number.isFinite(exact[i])) throw overflow(source.name, dtype, exact[i]);
    values[i] = exact[i];
  }
  return narrow(values, dtype, new Uint8Array(count * ELEMENT_BYTES[dtype]));
}

function overflow(name: string, dtype: WeightDtype, value: number): UserError {
  return new UserError(
    `"${name}" cannot be stored as ${dtype}`,
    `it holds ${value.toPrecision(6)}, and numbers from ${OVERFLOW[dtype]} on would become infinite`,
    dtype === 'F32'
      ? 'Its training diverged; use an earlier adapter.'
      : `Choose ${option('dtype', 'bf16')} or ${option('dtype', 'f32')}.`,
  );
}
