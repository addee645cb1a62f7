/** The teacher's final norm and head: whether they are the student's, and else as feeds of the loss. */
import { sameTensor } from '../../formats/same-tensor';
import { readTensor } from '../../formats/read-tensor';
import type { TensorInfo } from '../../formats/tensor';
import { outerWeights } from '../../checkpoint/weight-names';
import { float32, type Feeds } from '../../onnx/session';
import { tensorOf } from '../../model/graph-weights';
import type { Model } from '../../model/model';

/** Whether both models turn the same last states into the same logits: the weights are equal byte for byte. */
export async function sameHead(a: Model, b: Model): Promise<boolean> {
  if (a.architecture.rmsNormEps !== b.architecture.rmsNormEps) return false;
  const [first, second] = [a, b].map(headTensors);
  for (const key of ['norm', 'head'] as const) if (!(await sameTensor(first[key], second[key]))) return false;
  return true;
}

/** "teacherNorm" (hidden) and "teacherHead" (vocabulary, hidden), in float32. */
export async function headFeeds(model: Model): Promise<Feeds> {
  const { norm, head } = headTensors(model);
  return {
    teacherNorm: float32(await readTensor(norm), norm.shape),
    teacherHead: float32(await readTensor(head), head.shape),
  };
}

function headTensors({ architecture, checkpoint }: Model): { norm: TensorInfo; head: TensorInfo } {
  const { finalNorm, head } = outerWeights(architecture);
  return { norm: tensorOf(checkpoint, finalNorm), head: tensorOf(checkpoint, head) };
}
