/**
 * Whether the head is the embedding, where the config says so and the file stores a head all the same. transformers 5 ties
 * the two then only if they are equal, and computes with the stored head if they are not.
 */
import { sameTensor } from '../formats/same-tensor';
import type { TensorInfo } from '../formats/tensor';
import type { Architecture } from './architecture';
import { outerWeights, ownHead } from './weight-names';

/**
 * Matrices larger than this are not compared: the stored head is used. That gives the same numbers where the two are equal,
 * and opening stays quick even if a header declares huge shapes. The largest real embedding is half as large.
 */
const MAX_BYTES = 2 ** 33;

/** Of a model whose config ties head and embedding. @throws UserError when the file cannot be read */
export async function headIsEmbedding(
  architecture: Architecture,
  tensors: ReadonlyMap<string, TensorInfo>,
): Promise<boolean> {
  const head = tensors.get(ownHead(architecture).name);
  const embedding = tensors.get(outerWeights(architecture).embed.name);
  if (!head || !embedding) return true;
  return head.bytes <= MAX_BYTES && sameTensor(head, embedding);
}
