/** The tensors of GGUF files as those of a checkpoint. */
import type { StoredTensor } from '../stored-tensor';
import type { TensorInfo } from '../tensor';
import type { GgufTensor } from './tensors';

/** A tensor with the file that holds it, symbolic links resolved. */
export type PlacedGguf = GgufTensor & { readonly file: string };

/** One of the matrices that lie on top of each other in a tensor. */
export function sliceOf(tensor: PlacedGguf, index: number): PlacedGguf {
  const [count, ...shape] = tensor.shape;
  const bytes = tensor.bytes / count;
  return { ...tensor, shape, bytes, offset: tensor.offset + index * bytes };
}

/**
 * The tensor under a checkpoint's name.
 * @param differs how it lies in the file, where that is not as in the model
 */
export function checkpointTensor(
  name: string,
  tensor: PlacedGguf,
  differs: Pick<TensorInfo, 'paired' | 'above' | 'tiled' | 'power'> = {},
): TensorInfo {
  const { dtype, shape, bytes, file, offset } = tensor;
  const stored: StoredTensor = { name, dtype, shape, bytes, file, offset };
  return { ...stored, ...differs };
}
