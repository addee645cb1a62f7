/**
 * Position of a tensor in its file, for display. Only the checkpoint editor and the tree import it; nothing computes
 * with it.
 */
import { storedTensor } from './stored-tensor';
import type { TensorInfo } from './tensor';

export interface TensorPlace {
  /** Absolute path, symbolic links resolved. */
  readonly file: string;
  /** Position of the tensor's first byte in the file. */
  readonly firstByte: number;
}

/** @throws Error for a tensor without a file, which is a bug */
export function tensorPlace(tensor: TensorInfo): TensorPlace {
  const { file, offset } = storedTensor(tensor);
  return { file, firstByte: offset };
}
