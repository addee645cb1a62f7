/** Sums and means over axes. */
import type { Dim, Graph, Value } from '../graph';
import { reshape } from './shapes';

/** Σ over `axes`; the reduced axes stay with extent 1 when `keep`. */
export function reduceSum(g: Graph, x: Value, axes: readonly number[], keep = false): Value {
  return reduce(g, 'ReduceSum', x, axes, keep);
}

/** Mean over the last axis, which stays with extent 1. */
export function meanLast(g: Graph, x: Value): Value {
  return reduce(g, 'ReduceMean', x, [x.shape.length - 1], true);
}

function reduce(g: Graph, op: 'ReduceSum' | 'ReduceMean', x: Value, axes: readonly number[], keep: boolean): Value {
  const shape = keep ? x.shape.map((d, i) => (axes.includes(i) ? 1 : d)) : x.shape.filter((_, i) => !axes.includes(i));
  return g.op(op, [x, g.ints(...axes)], { type: x.type, shape }, { keepdims: keep ? 1 : 0 });
}

/** Undoes broadcasting: sums `x` over the axes along which a value of `shape` was repeated. */
export function reduceTo(g: Graph, x: Value, shape: readonly Dim[]): Value {
  const missing = x.shape.length - shape.length;
  const axes = x.shape.flatMap((dim, i) => (i < missing || (shape[i - missing] === 1 && dim !== 1) ? [i] : []));
  if (axes.length === 0) return x;
  const summed = reduceSum(g, x, axes, true);
  return missing === 0 ? summed : reshape(g, summed, shape);
}
