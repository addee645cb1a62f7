/**
 * Decides whether the head is the embedding if the config says so but the file also stores a head. transformers 5 ties
 * the two only if they are equal; otherwise it computes with the stored head.
 */
import { sameTensor } from '../formats/same-tensor';
import type { TensorInfo } from '../formats/tensor';
import type { Architecture } from './architecture';
import { outerWeights, ownHead } from './weight-names';

/**
 * Larger matrices are not compared; Coppice uses the stored head. That gives the same numbers if the two are equal, and
 * opening remains fast even if a header declares huge shapes. The largest real embedding is half as large.
 */
const MAX_BYTES = 2 ** 33;

/** For a model whose config ties head and embedding. @throws UserError when the file cannot be read */
export async function headIsEmbedding(
  architecture: Architecture,
  tensors: ReadonlyMap<string, TensorInfo>,
): Promise<boolean> {
  const head = tensors.get(ownHead(architecture).name);
  const embedding = tensors.get(outerWeights(architecture).embed.name);
  if (!head || !embedding) return true;
  return head.bytes <= MAX_BYTES && sameTensor(head, embedding);
}
