/** Shape rules shared by the ops, and ops that only move elements. */
import type { Dim, ElementType, Graph, Value } from '../graph';
import { elementTypeCode } from '../model-file';

/** The shape of an elementwise result under numpy's broadcasting. @throws Error when the shapes don't fit */
export function broadcastShape(a: readonly Dim[], b: readonly Dim[]): Dim[] {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, i) => {
    const x = a[a.length - rank + i] ?? 1;
    const y = b[b.length - rank + i] ?? 1;
    if (x === y || y === 1) return x;
    if (x === 1) return y;
    throw new Error(`shapes (${a.join(', ')}) and (${b.join(', ')}) do not broadcast`);
  });
}

/**
 * The same elements in another shape. A named dimension at the same position is copied; of the other named dimensions,
 * one is inferred and the rest are read from the graph's inputs.
 */
export function reshape(g: Graph, x: Value, shape: readonly Dim[]): Value {
  const open = shape.filter((dim, i) => typeof dim === 'string' && x.shape[i] !== dim) as string[];
  const inferred = open.find((dim) => !g.hasDimension(dim)) ?? open[0];
  const parts = shape.map((dim, i) => {
    if (typeof dim === 'number') return dim;
    if (x.shape[i] === dim) return 0;
    return dim === inferred ? -1 : g.dimension(dim);
  });
  const output = g.op('Reshape', [x, shapeVector(g, parts)], { type: x.type, shape });
  return g.record(output, [x], (d) => [() => reshape(g, d, x.shape)]);
}

/**
 * The same elements in a shape that is a value of the graph, which several values of one shape can share. No gradient:
 * only decoding uses it.
 * @param vector by `shapeVector`
 */
export const reshapeBy = (g: Graph, x: Value, vector: Value, shape: readonly Dim[]): Value =>
  g.op('Reshape', [x, vector], { type: x.type, shape });

/** A shape as a value of the graph; −1 is inferred. (n) int64 */
export function shapeVector(g: Graph, parts: readonly (number | Value)[]): Value {
  if (parts.every((p) => typeof p === 'number')) return g.ints(...parts);
  const pieces = parts.map((p) => (typeof p === 'number' ? g.ints(p) : p));
  return g.op('Concat', pieces, { type: 'int64', shape: [parts.length] }, { axis: 0 });
}

/** Axis i of the result is axis `permutation[i]` of x. */
export function transpose(g: Graph, x: Value, permutation: readonly number[]): Value {
  const shape = permutation.map((p) => x.shape[p]);
  const output = g.op('Transpose', [x], { type: x.type, shape }, { perm: permutation });
  const inverse = permutation.map((_, i) => permutation.indexOf(i));
  return g.record(output, [x], (d) => [() => transpose(g, d, inverse)]);
}

/** Cuts an axis into pieces of the given extents. */
export function split(g: Graph, x: Value, axis: number, extents: readonly number[]): Value[] {
  if (extents.length === 1) return [x];
  const pieces = extents.map((extent) => ({ type: x.type, shape: x.shape.with(axis, extent) }));
  const outputs = g.node('Split', [x, g.ints(...extents)], { axis }, pieces);
  g.tape.push({
    outputs,
    inputs: [x],
    backward: (ds) => [
      () =>
        concat(
          g,
          ds.map((d, i) => d ?? zerosLike(g, outputs[i])),
          axis,
        ),
    ],
  });
  return outputs;
}

/** Concatenates along an axis, whose extents must be known. */
export function concat(g: Graph, parts: readonly Value[], axis: number): Value {
  if (parts.length === 1) return parts[0];
  const extents = parts.map((p) => knownDim(p, axis));
  const joined = extents.reduce((a, b) => a + b, 0);
  const output = g.op('Concat', parts, { type: parts[0].type, shape: parts[0].shape.with(axis, joined) }, { axis });
  return g.record(output, parts, (d) => {
    let pieces: Value[] | undefined;
    return parts.map((_, i) => () => (pieces ??= split(g, d, axis, extents))[i]);
  });
}

/** Concatenates along an axis whose extent is known at run time, and then is `extent`. No gradient: only decoding uses it. */
export function append(g: Graph, parts: readonly Value[], axis: number, extent: Dim): Value {
  return g.op('Concat', parts, { type: parts[0].type, shape: parts[0].shape.with(axis, extent) }, { axis });
}

/**
 * Pads the last axis with zeros at the end, to the extent `width`. (…, n) → (…, width). No gradient: only fused
 * attention uses it.
 */
export function padLast(g: Graph, x: Value, width: number): Value {
  const axis = x.shape.length - 1;
  const before = x.shape.map(() => 0);
  const pads = g.ints(...before, ...before.with(axis, width - knownDim(x, axis)));
  return g.op('Pad', [x, pads], { type: x.type, shape: x.shape.with(axis, width) });
}

/** The last row of a matrix. x: (tokens, n) → (1, n). No gradient: only decoding uses it. */
export function lastRow(g: Graph, x: Value): Value {
  return g.op('Gather', [x, g.ints(-1)], { type: x.type, shape: [1, ...x.shape.slice(1)] }, { axis: 0 });
}

function zerosLike(g: Graph, x: Value): Value {
  return g.op('Mul', [x, g.scalar(0)], x);
}

/** The same numbers in another element type. No gradient: only weights and masks use it. */
export function cast(g: Graph, x: Value, type: ElementType): Value {
  return x.type === type ? x : g.op('Cast', [x], { type, shape: x.shape }, { to: elementTypeCode(type) });
}

function knownDim(x: Value, axis: number): number {
  const dim = x.shape[axis];
  if (typeof dim !== 'number') throw new Error(`dimension ${axis} of ${x.name} is not known`);
  return dim;
}

/**
 * The rows whose indices `rows` gives. x: (m, …), rows: (n) int64 → (n, …). No gradient: only frozen weights use it.
 */
export function takeRows(g: Graph, x: Value, rows: Value): Value {
  const shape = [...rows.shape, ...x.shape.slice(1)];
  return g.op('Gather', [x, rows], { type: x.type, shape }, { axis: 0 });
}

/** The columns whose indices `columns` gives. x: (m, n), columns: (k) int64 → (m, k). No gradient, as of `takeRows`. */
export function takeColumns(g: Graph, x: Value, columns: Value): Value {
  return g.op('Gather', [x, columns], { type: x.type, shape: [x.shape[0], ...columns.shape] }, { axis: 1 });
}
