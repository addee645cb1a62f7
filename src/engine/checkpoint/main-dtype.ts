/** The type in which most of a checkpoint is stored. */
import type { StoredDtype } from '../formats/dtype';
import { isPacked } from '../formats/stacked';
import type { TensorInfo } from '../formats/tensor';
import type { Checkpoint } from './types';
import { blockOfTensor } from './weight-names';

/** The stored type of most bytes; undefined without a tensor. */
export const mainDtype = ({ tensors }: Pick<Checkpoint, 'tensors'>): StoredDtype | undefined =>
  mostBytes([...tensors.values()]);

/**
 * What a model is called after: "Q4_K_M" as its GGUF file says, else the type of its blocks. The embedding of a quantized file has
 * a finer type, and may be most of it.
 */
export function typeWord({ tensors, parts, fileType }: Pick<Checkpoint, 'tensors' | 'parts' | 'fileType'>): string {
  const packed = [...(parts?.values() ?? [])].find(isPacked)?.dtype;
  const blocks = [...tensors.values()].filter(({ name }) => blockOfTensor(name) !== undefined);
  return fileType ?? packed ?? mostBytes(blocks) ?? mainDtype({ tensors }) ?? '';
}

function mostBytes(tensors: readonly TensorInfo[]): StoredDtype | undefined {
  const bytes = new Map<StoredDtype, number>();
  for (const { dtype, bytes: own } of tensors) bytes.set(dtype, (bytes.get(dtype) ?? 0) + own);
  return [...bytes].sort(([, a], [, b]) => b - a).at(0)?.[0];
}
