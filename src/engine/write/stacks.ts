/** Tensors with a matrix of every expert, when some of these have changed: an expert's part is put together at a time. */
import type { FoundStack } from '../checkpoint/stacks';
import { UserError } from '../errors';
import type { WeightDtype } from '../formats/dtype';
import type { StackPlace } from '../formats/stacked';
import { readWide, rowWidth, type WeightSource } from '../weights/source';
import type { Rewrite } from './rewrite';

/** Whether a stack is not what it was. */
export const isChanged = ({ layer, parts }: FoundStack, weights: WeightSource): boolean =>
  parts.some(({ name }) => !weights.stored({ layer, name }));

/** @throws UserError for a stack of 4-bit floats, which Coppice does not make */
export function stackRewrite(stack: FoundStack, weights: WeightSource, dtype: WeightDtype): Rewrite {
  const { name, shape, layer, parts, scales } = stack;
  if (scales) {
    throw new UserError(
      'The changed model cannot be written',
      `"${name}" is stored as MXFP4, which Coppice only reads`,
      'Start from a checkpoint in BF16.',
    );
  }
  const size = rowWidth(shape);
  const read: Rewrite['read'] = async ({ start, count }) => {
    const values = new Float64Array(count * size);
    for (const { name: weight, place } of parts) {
      const at = place.slice - start;
      if (at < 0 || at >= count) continue;
      const key = { layer, name: weight };
      put(await readWide(weights, key), weights.shape(key), place, values.subarray(at * size, (at + 1) * size));
    }
    return values;
  };
  return { dtype, shape, read };
}

/** Puts a weight in its place in the part of its expert. */
function put(weight: Float64Array, shape: readonly number[], { lines }: StackPlace, into: Float64Array): void {
  const width = rowWidth(shape);
  if ('count' in lines) {
    into.set(weight, lines.start * width);
    return;
  }
  const { first, step, of } = lines;
  for (let row = 0; row < shape[0]; row++) {
    for (let j = 0; j < width; j++) into[j * of + first + step * row] = weight[row * width + j];
  }
}
