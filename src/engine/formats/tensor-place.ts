/** Where a tensor is in its file, to be shown to the user. Nothing computes with it: the checkpoint editor and the tree import it. */
import { storedTensor } from './stored-tensor';
import type { TensorInfo } from './tensor';

export interface TensorPlace {
  /** Absolute path, symbolic links resolved. */
  readonly file: string;
  /** Position of the tensor's first byte in the file. */
  readonly firstByte: number;
}

/** @throws Error for a tensor that no file's header describes, which is a bug */
export function tensorPlace(tensor: TensorInfo): TensorPlace {
  const { file, offset } = storedTensor(tensor);
  return { file, firstByte: offset };
}
