/** The tensors of GGUF files as those of a checkpoint. */
import type { StoredTensor } from '../stored-tensor';
import type { TensorInfo } from '../tensor';
import type { GgufTensor } from './tensors';

/** A tensor with the file that holds it, symbolic links resolved. */
export type PlacedGguf = GgufTensor & { readonly file: string };

/**
 * The tensor under a checkpoint's name.
 * @param paired the width of a head whose rows are in the order of rotated pairs; undefined for any other tensor
 */
export function checkpointTensor(name: string, tensor: PlacedGguf, paired?: number): TensorInfo {
  const { dtype, shape, bytes, file, offset } = tensor;
  const stored: StoredTensor = { name, dtype, shape, bytes, file, offset };
  return paired === undefined ? stored : { ...stored, paired };
}
