/** The teacher's final norm and head: whether they are the student's, and else as feeds of the loss. */
import { readTensor } from '../checkpoint/tensor-file';
import type { TensorInfo } from '../checkpoint/types';
import { outerWeights } from '../checkpoint/weights';
import { float32, type Feeds } from '../onnx/session';
import { withFile } from '../regular-file';
import { tensorOf } from '../transformer/graph-weights';
import type { Model } from '../transformer/model';

/** Bytes compared at a time. */
const PIECE = 1 << 20;

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

async function sameTensor(a: TensorInfo, b: TensorInfo): Promise<boolean> {
  if (a.file === b.file && a.offset === b.offset) return true;
  if (a.dtype !== b.dtype || a.bytes !== b.bytes || a.shape.join() !== b.shape.join()) return false;
  return withFile(a.file, (first) =>
    withFile(b.file, async (second) => {
      for (let at = 0; at < a.bytes; at += PIECE) {
        const length = Math.min(PIECE, a.bytes - at);
        const ours = await first.readRange(a.offset + at, length);
        if (!ours.equals(await second.readRange(b.offset + at, length))) return false;
      }
      return true;
    }),
  );
}
