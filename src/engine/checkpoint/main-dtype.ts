/** The type in which most of a checkpoint is stored. */
import type { StoredDtype } from '../formats/dtype';
import type { Checkpoint } from './types';

/** The stored type of most bytes; undefined without a tensor. */
export function mainDtype({ tensors }: Pick<Checkpoint, 'tensors'>): StoredDtype | undefined {
  const bytes = new Map<StoredDtype, number>();
  for (const tensor of tensors.values()) bytes.set(tensor.dtype, (bytes.get(tensor.dtype) ?? 0) + tensor.bytes);
  return [...bytes].sort(([, a], [, b]) => b - a).at(0)?.[0];
}
