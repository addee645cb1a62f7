/** A weight whose rows lie in two tensors of a file: gate on top of up, which llama.cpp's files have apart (`TensorInfo.halves`). */
import { type StoredTensor, storedTensor } from './stored-tensor';
import type { Rows, TensorInfo } from './tensor';

/**
 * The weight as a tensor, at the place of its upper half.
 * @param name the weight's own
 */
export function joinedTensor(name: string, upper: TensorInfo, lower: TensorInfo): StoredTensor {
  const { file, offset, shape, bytes, dtype } = storedTensor(upper);
  return {
    ...{ name, file, offset },
    // Halves of different types have none together, and are read as numbers.
    dtype: dtype === lower.dtype ? dtype : 'F32',
    shape: [shape[0] + lower.shape[0], ...shape.slice(1)],
    bytes: bytes + lower.bytes,
    halves: [upper, lower],
  };
}

/** The rows of each half that some rows are. @param upper rows of the upper half */
export function rowsOfHalves(upper: number, { start, count }: Rows): readonly [Rows, Rows] {
  const end = start + count;
  const first = Math.min(start, upper);
  const second = Math.max(start, upper);
  return [
    { start: first, count: Math.max(0, Math.min(end, upper) - first) },
    { start: second - upper, count: Math.max(0, end - second) },
  ];
}
