/** A stored tensor in a graph: an initializer whose bytes stay in their file, and a Cast that the session folds. */
import { isWeightDtype, type WeightDtype } from '../formats/dtype';
import { bytesOfRows, type StoredTensor } from '../formats/stored-tensor';
import type { Rows } from '../formats/tensor';
import type { ElementType, Graph, Value } from '../onnx/graph';
import { cast, takeRows } from '../onnx/ops/shapes';

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
  if (rows && 'name' in rows) return cast(g, takeRows(g, external(g, tensor, name), rows), 'float32');
  return cast(g, external(g, tensor, name, rows), 'float32');
}

/** A graph may have several pieces of a weight, so the name of a piece includes its start. */
function external(g: Graph, tensor: StoredTensor, name: string, rows?: Rows): Value {
  const { dtype, shape } = tensor;
  if (!isWeightDtype(dtype)) throw new Error(`${tensor.name} has dtype ${dtype}`);
  const [own, ownShape] = rows ? [`${name}[${rows.start}]`, [rows.count, ...shape.slice(1)]] : [name, shape];
  return g.external(own, ELEMENT_TYPES[dtype], ownShape, bytesOfRows(tensor, rows));
}
