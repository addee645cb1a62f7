/** The teacher's final norm and head: whether they are the student's, and else as feeds of the loss. */
import { sameTensor } from '../../formats/same-tensor';
import { float32, type Feeds } from '../../onnx/session';
import type { Model } from '../../model/model';
import type { WeightSource } from '../../weights/source';

/** Whether both models turn the same last states into the same logits: the weights are equal byte for byte. */
export async function sameHead(a: Model, b: Model): Promise<boolean> {
  if (a.architecture.rmsNormEps !== b.architecture.rmsNormEps) return false;
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
