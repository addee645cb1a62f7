/** The softmax. */
import type { Graph, Value } from '../graph';
import { mul, sub } from './elementwise';
import { reduceSum } from './reduce';

/** Softmax over the last axis. */
export function softmax(g: Graph, x: Value): Value {
  const output = g.op('Softmax', [x], x, { axis: -1 });
  return g.record(output, [x], (d) => [
    () => {
      // dx = y ⊙ (dy − Σ dy ⊙ y)
      const weighted = mul(g, d, output);
      return sub(g, weighted, mul(g, output, reduceSum(g, weighted, [x.shape.length - 1], true)));
    },
  ]);
}
