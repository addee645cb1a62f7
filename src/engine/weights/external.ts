/** A stored tensor in a graph: an initializer whose bytes stay in their file, and a Cast that the session folds. */
import { isWeightDtype, type WeightDtype } from '../formats/dtype';
import { bytesOfRows, type StoredTensor } from '../formats/stored-tensor';
import { storedRow } from '../formats/read-tensor';
import { requireRows, type Rows, type Woven } from '../formats/tensor';
import type { ElementType, Graph, Value } from '../onnx/graph';
import type { ExternalBytes } from '../onnx/model-file';
import { cast, takeColumns, takeRows, transpose } from '../onnx/ops/shapes';

/** Element types of stored weights in graphs. */
export const ELEMENT_TYPES: Readonly<Record<WeightDtype, ElementType>> = {
  F32: 'float32',
  F16: 'float16',
  BF16: 'bfloat16',
};

/**
 * Adds the tensor to a graph, as float32.
 * @param name of the initializer; a graph has one of each name
 * @param rows as in `WeightSource.bind`
 */
export function bindTensor(g: Graph, tensor: StoredTensor, name: string, rows?: Rows | Value): Value {
  if (tensor.above !== undefined || tensor.tiled || tensor.power || tensor.halves)
    throw new Error(`${tensor.name} is not stored as it is used`);
  if (tensor.woven) return ofColumns(g, tensor, name, tensor.woven, rows);
  if (tensor.paired !== undefined) return cast(g, inOrder(g, tensor, name, tensor.paired, rows), 'float32');
  if (rows && 'name' in rows) return cast(g, takeRows(g, external(g, tensor, name), rows), 'float32');
  return cast(g, external(g, tensor, name, rows), 'float32');
}

/** Rows that lie as columns among others; the session takes and turns them once, when it opens. */
function ofColumns(
  g: Graph,
  tensor: StoredTensor,
  name: string,
  { first, step, of }: Woven,
  rows?: Rows | Value,
): Value {
  if (rows && 'name' in rows) return takeRows(g, ofColumns(g, tensor, name, tensor.woven!), rows);
  const [all, ...width] = tensor.shape;
  const { start, count } = rows ?? { start: 0, count: all };
  requireRows({ start, count }, all);
  const whole = external(g, { ...tensor, shape: [...width, of], bytes: tensor.bytes * step }, name);
  const columns = g.indices(Array.from({ length: count }, (_, i) => first + step * (start + i)));
  if (width.length === 0) return cast(g, takeRows(g, whole, columns), 'float32');
  return transpose(g, cast(g, takeColumns(g, whole, columns), 'float32'), [1, 0]);
}

/** The rows of heads in the model's order; the session takes them from the file's order once, when it opens. */
function inOrder(g: Graph, tensor: StoredTensor, name: string, headDim: number, rows?: Rows | Value): Value {
  const stored = external(g, tensor, name);
  const [all] = tensor.shape;
  if (rows && 'name' in rows) return takeRows(g, inOrder(g, tensor, name, headDim), rows);
  const { start, count } = rows ?? { start: 0, count: all };
  requireRows({ start, count }, all);
  return takeRows(g, stored, g.indices(Array.from({ length: count }, (_, i) => storedRow(start + i, headDim))));
}

/** Brings bytes of a weight in Coppice's own layout into a graph: from their file, or as a copy. */
export function bindBytes(
  g: Graph,
  name: string,
  type: 'uint8' | 'float32',
  shape: readonly number[],
  data: ExternalBytes | Uint8Array,
): Value {
  if (!(data instanceof Uint8Array)) return g.external(name, type, shape, data);
  if (type === 'uint8') return g.bytes(type, data, shape);
  return g.floats(new Float32Array(data.buffer, data.byteOffset, data.byteLength / 4), shape);
}

/** A graph may have several pieces of a weight, so the name of a piece includes its start. */
function external(g: Graph, tensor: StoredTensor, name: string, rows?: Rows): Value {
  const { dtype, shape } = tensor;
  if (!isWeightDtype(dtype)) throw new Error(`${tensor.name} has dtype ${dtype}`);
  const [own, ownShape] = rows ? [`${name}[${rows.start}]`, [rows.count, ...shape.slice(1)]] : [name, shape];
  return g.external(own, ELEMENT_TYPES[dtype], ownShape, bytesOfRows(tensor, rows));
}
