/** Ops on the second axis, the tokens of a row, whose extent is known at run time: lengthening, cutting, repeating heads. */
import type { Dim, Graph, Value } from '../graph';
import { reduceSum } from './reduce';
import { reshape } from './shapes';

/** The extent of an axis at run time, (1) int64. */
export function extentOf(g: Graph, x: Value, axis: number): Value {
  return g.op('Shape', [x], { type: 'int64', shape: [1] }, { start: axis, end: axis + 1 });
}

/** Zeros before and behind the tokens. x: (rows, length, …) → (rows, extent, …). @param counts (1) int64, or how many */
export function padTokens(
  g: Graph,
  x: Value,
  counts: { readonly before?: Value | number; readonly after?: Value | number },
  extent: Dim,
): Value {
  const known = (count: Value | number = 0): Value => (typeof count === 'number' ? g.ints(count) : count);
  const rest = x.shape.slice(2).map(() => 0);
  const pieces = [
    g.ints(0),
    known(counts.before),
    g.ints(...rest, 0),
    known(counts.after),
    ...(rest.length > 0 ? [g.ints(...rest)] : []),
  ];
  const pads = g.op('Concat', pieces, { type: 'int64', shape: [2 * x.shape.length] }, { axis: 0 });
  const output = g.op('Pad', [x, pads], { type: x.type, shape: x.shape.with(1, extent) });
  return g.record(output, [x], (d) => [() => sliceTokens(g, d, known(counts.before), extentOf(g, x, 1), x.shape[1])]);
}

/** `count` tokens from `start` on. x: (rows, length, …) → (rows, extent, …). @param start, count (1) int64 */
export function sliceTokens(g: Graph, x: Value, start: Value, count: Value, extent: Dim): Value {
  const vector = { type: 'int64', shape: [1] } as const;
  const end = g.op('Add', [start, count], vector);
  const output = g.op('Slice', [x, start, end, g.ints(1)], { type: x.type, shape: x.shape.with(1, extent) });
  return g.record(output, [x], (d) => [
    () => padTokens(g, d, { before: start, after: g.op('Sub', [extentOf(g, x, 1), end], vector) }, x.shape[1]),
  ]);
}

/** Each entry of an axis `times` times in turn: 0 0 1 1 …. The axis has a known extent. */
export function repeatEach(g: Graph, x: Value, axis: number, times: number): Value {
  if (times === 1) return x;
  const split = [...x.shape.slice(0, axis + 1), 1, ...x.shape.slice(axis + 1)];
  const wide = g.op('Unsqueeze', [x, g.ints(axis + 1)], { type: x.type, shape: split });
  const repeats = split.map((_, i) => (i === axis + 1 ? times : 1));
  const tiled = g.op('Tile', [wide, g.ints(...repeats)], { type: x.type, shape: split.with(axis + 1, times) });
  const shape = x.shape.with(axis, Number(x.shape[axis]) * times);
  const output = reshapeAfter(g, tiled, shape, axis);
  return g.record(output, [x], (d) => [
    () => reduceSum(g, reshapeAfter(g, d, split.with(axis + 1, times), axis), [axis + 1]),
  ]);
}

/** The same elements, where all axes before `axis` stay, and those behind it have known extents or keep their order. */
function reshapeAfter(g: Graph, x: Value, shape: readonly Dim[], axis: number): Value {
  const parts = shape.map((dim, i) => (i < axis ? 0 : dim));
  if (parts.some((dim) => typeof dim === 'string')) return reshape(g, x, shape);
  return g.op('Reshape', [x, g.ints(...(parts as number[]))], { type: x.type, shape });
}
