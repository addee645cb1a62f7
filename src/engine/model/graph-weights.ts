/**
 * How a graph gets at the weights of a checkpoint: as initializers that point into its files (the CPU, where nothing is
 * copied), or as inputs (a GPU, where one compiled session then serves every block).
 */
import { isWeightDtype, type WeightDtype } from '../formats/dtype';
import type { Checkpoint } from '../checkpoint/types';
import { type StoredTensor, storedTensor } from '../formats/stored-tensor';
import type { Weight } from '../checkpoint/weight-names';
import type { ElementType, Graph, Value } from '../onnx/graph';
import { cast, takeRows } from '../onnx/ops/shapes';

const ELEMENT_TYPES: Record<WeightDtype, ElementType> = { F32: 'float32', F16: 'float16', BF16: 'bfloat16' };

/** Brings a weight into a graph as float32. `key` names it within the block ("q", "inputNorm"). */
export type Bind = (key: string, weight: Weight) => Value;

/** A weight, or `count` of its rows from `start` on, as an initializer that stays in its file, cast to float32. */
export function externalWeight(g: Graph, checkpoint: Checkpoint, weight: Weight, start = 0, count?: number): Value {
  return cast(g, stored(g, checkpoint, weight, start, count), 'float32');
}

/** The rows of a weight that `rows` names, cast to float32. rows: (n) int64 → (n, …) */
export function externalRows(g: Graph, checkpoint: Checkpoint, weight: Weight, rows: Value): Value {
  return cast(g, takeRows(g, stored(g, checkpoint, weight), rows), 'float32');
}

/** In the file's own element type. */
function stored(g: Graph, checkpoint: Checkpoint, weight: Weight, start = 0, count?: number): Value {
  const tensor = tensorOf(checkpoint, weight);
  const rowBytes = tensor.bytes / tensor.shape[0];
  const rows = count ?? tensor.shape[0];
  const at = {
    file: tensor.file,
    offset: tensor.offset + start * rowBytes,
    bytes: rows * rowBytes,
  };
  const shape = [rows, ...tensor.shape.slice(1)];
  const name = count === undefined ? weight.name : `${weight.name}[${start}]`; // several pieces may be in one graph
  return g.external(name, elementType(tensor), shape, at);
}

/** Binds weights as initializers inside the checkpoint's own files. */
export function externalBinding(g: Graph, checkpoint: Checkpoint): Bind {
  return (_key, weight) => externalWeight(g, checkpoint, weight);
}

/** Binds weights as float32 inputs named by their keys, and keeps those that the graph came to want. */
export function inputBinding(g: Graph): { bind: Bind; wanted: Map<string, Weight> } {
  const wanted = new Map<string, Weight>();
  const bind: Bind = (key, weight) => {
    wanted.set(key, weight);
    return g.input(key, 'float32', weight.shape);
  };
  return { bind, wanted };
}

/** A graph that does nothing but fetch weights, for inputs bound by `inputBinding`. @returns the names of its outputs */
export function fetchWeights(g: Graph, checkpoint: Checkpoint, wanted: ReadonlyMap<string, Weight>): string[] {
  for (const [key, weight] of wanted) g.output(key, externalWeight(g, checkpoint, weight));
  return [...wanted.keys()];
}

/** @throws Error for a tensor that opening the checkpoint should have refused */
export function tensorOf(checkpoint: Checkpoint, weight: Weight): StoredTensor {
  const tensor = checkpoint.tensors.get(weight.name);
  if (!tensor) throw new Error(`${weight.name} is not in ${checkpoint.path}`);
  return storedTensor(tensor);
}

function elementType({ name, dtype }: StoredTensor): ElementType {
  if (!isWeightDtype(dtype)) throw new Error(`${name} has dtype ${dtype}`);
  return ELEMENT_TYPES[dtype];
}
