/** Which columns of each row are the largest. */
import type { Graph, Value } from '../graph';
import { scale, sub } from './elementwise';
import { reduceSum } from './reduce';

/** Far below every score, and its exponential is 0. */
const OUT = 1e30;

/**
 * Marks the `count` largest numbers of each row; of equal ones those with the lower index. No gradient flows into a choice.
 * x: (rows, columns) → `chosen` (rows, columns), 1 or 0; `below`, 0 or −1e30
 */
export function chosenMask(g: Graph, x: Value, count: number): { readonly chosen: Value; readonly below: Value } {
  const [rows, columns] = x.shape;
  const [, places] = g.node('TopK', [x, g.ints(count)], { axis: 1 }, [
    { type: x.type, shape: [rows, count] },
    { type: 'int64', shape: [rows, count] },
  ]);
  const values = g.floats(Float32Array.of(0, 1), [2]);
  const marks = g.op(
    'OneHot',
    [places, g.ints(Number(columns)), values],
    { type: x.type, shape: [rows, count, columns] },
    { axis: -1 },
  );
  const chosen = reduceSum(g, marks, [1]);
  return { chosen, below: scale(g, sub(g, chosen, g.scalar(1)), OUT) };
}
