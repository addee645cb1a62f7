/** What the token loss −log softmax(z)[target] = log Σ exp(z) − z[target] is made of. */
import type { Graph, Value } from '../graph';
import { reshape } from './shapes';

/** log Σ exp over the last axis, which goes. z: (tokens, n) → (tokens) */
export function logSumExpLast(g: Graph, z: Value): Value {
  return g.node('ReduceLogSumExp', [z, g.ints(-1)], { keepdims: 0 }, [
    { type: z.type, shape: z.shape.slice(0, -1) },
  ])[0];
}

/** z[i, index[i]]. z: (tokens, n), index: (tokens) int64 → (tokens) */
export function pickLast(g: Graph, z: Value, index: Value): Value {
  const column = reshape(g, index, [index.shape[0], 1]);
  const [picked] = g.node('GatherElements', [z, column], { axis: 1 }, [{ type: z.type, shape: [z.shape[0], 1] }]);
  return reshape(g, picked, [z.shape[0]]);
}
