/** Some rows of a matrix, as many as a run finds: what is computed for them alone, and added to the matrix. No gradients. */
import type { Graph, Value } from '../graph';
import { reshape } from './shapes';

/**
 * The numbers of the rows where a column is not 0.
 * @param column (rows, 1)
 * @param extent names their count: unique in the graph
 * @returns (extent) int64, ascending
 */
export function rowsThatHave(g: Graph, column: Value, extent: string): Value {
  const places = g.op('NonZero', [reshape(g, column, [column.shape[0]])], { type: 'int64', shape: [1, extent] });
  return g.op('Reshape', [places, g.ints(-1)], { type: 'int64', shape: [extent] });
}

/** x with y added to these rows of it, each named once. x: (rows, n), places: (k) int64, y: (k, n) */
export function addToRows(g: Graph, x: Value, places: Value, y: Value): Value {
  const indices = g.op('Unsqueeze', [places, g.ints(1)], { type: 'int64', shape: [places.shape[0], 1] });
  return g.op('ScatterND', [x, indices, y], x, { reduction: 'add' });
}

/** Zeros of the shape of x. */
export function zerosLike(g: Graph, x: Value): Value {
  const shape = g.op('Shape', [x], { type: 'int64', shape: [x.shape.length] });
  return g.op('Expand', [g.scalar(0), shape], x);
}
