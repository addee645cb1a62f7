/** Sums, means and maxima over axes. */
import type { Dim, Graph, Value } from '../graph';
import { elementTypeCode } from '../model-file';
import { reshape } from './shapes';

/** Σ over `axes`; the reduced axes stay with extent 1 when `keep`. */
export function reduceSum(g: Graph, x: Value, axes: readonly number[], keep = false): Value {
  return reduce(g, 'ReduceSum', x, axes, keep);
}

/** Mean over the last axis, which stays with extent 1. */
export function meanLast(g: Graph, x: Value): Value {
  return reduce(g, 'ReduceMean', x, [x.shape.length - 1], true);
}

/**
 * Index (int32; the lowest of equal ones) and value of the maximum over the last axis, which is removed. They have no
 * gradient.
 */
export function maxLast(g: Graph, x: Value): [index: Value, max: Value] {
  const shape = x.shape.slice(0, -1);
  const wide = g.op('ArgMax', [x], { type: 'int64', shape }, { axis: -1, keepdims: 0 });
  const index = g.op('Cast', [wide], { type: 'int32', shape }, { to: elementTypeCode('int32') });
  return [index, g.op('ReduceMax', [x, g.ints(-1)], { type: x.type, shape }, { keepdims: 0 })];
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
