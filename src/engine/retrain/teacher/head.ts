/** The teacher's final norm and head: whether they equal the student's, and the feeds for the loss if not. */
import { sameTensor } from '../../formats/same-tensor';
import { float32, type Feeds } from '../../onnx/session';
import { headStyleKey } from '../../model/logits';
import type { Model } from '../../model/model';
import type { WeightSource } from '../../weights/source';

/**
 * Whether both models have the same final norm and head, byte for byte, so that equal last states give equal logits.
 */
export async function sameHead(a: Model, b: Model): Promise<boolean> {
  if (headStyleKey(a.architecture) !== headStyleKey(b.architecture)) return false;
  for (const key of ['finalNorm', 'head'] as const) {
    const [first, second] = [a, b].map(({ weights }) => weights.stored(key));
    if (!first || !second || !(await sameTensor(first, second))) return false;
  }
  return true;
}

/** "teacherNorm" (hidden) and "teacherHead" (vocabulary, hidden), in float32. */
export async function headFeeds({ weights }: Model): Promise<Feeds> {
  return { teacherNorm: await feedOf(weights, 'finalNorm'), teacherHead: await feedOf(weights, 'head') };
}

const feedOf = async (weights: WeightSource, key: 'finalNorm' | 'head') =>
  float32(await weights.read(key), weights.shape(key));
