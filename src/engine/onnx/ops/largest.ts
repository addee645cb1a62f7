/** How large numbers get, for checks. */
import type { Graph, Value } from '../graph';
import { abs } from './elementwise';
import { cast, concat, reshape } from './shapes';

/** The largest |x| of all values. (…) each, any float type → (1). No gradient. */
export function largest(g: Graph, values: readonly Value[]): Value {
  const most = (x: Value): Value =>
    reshape(g, g.op('ReduceMax', [abs(g, x)], { type: 'float32', shape: [] }, { keepdims: 0 }), [1]);
  return most(
    concat(
      g,
      values.map((x) => most(cast(g, x, 'float32'))),
      0,
    ),
  );
}
