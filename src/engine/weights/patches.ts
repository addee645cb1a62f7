/**
 * Changes of an overlay to a single weight. Each kind is one object with two functions: reading the numbers, and adding
 * the weight to a graph.
 */
import { isDeepStrictEqual } from 'node:util';
import { readTensor } from '../formats/read-tensor';
import type { StoredTensor } from '../formats/stored-tensor';
import { requireRows, type Rows } from '../formats/tensor';
import type { Graph, Value } from '../onnx/graph';
import { linear } from '../onnx/ops/linear';
import { takeRows } from '../onnx/ops/shapes';
import { keyText, type WeightKey } from '../checkpoint/weight-key';
import { bindTensor } from './external';
import { type LowRank, readWide, rowWidth, type WeightSource } from './source';

export type Patch = ReplacePatch | StoredPatch | AddPatch;

/** Replaces the numbers of the weight. */
export interface ReplacePatch {
  readonly kind: 'replace';
  /** Row by row. */
  readonly values: Float32Array;
  /** Set if the new weight has a different shape. */
  readonly shape?: readonly number[];
}

/** Replaces the numbers of the weight by those of a float32 tensor, which stay in its file. */
export interface StoredPatch {
  readonly kind: 'stored';
  readonly tensor: StoredTensor;
  /** SHA-256 (hex) of the tensor's bytes. */
  readonly sha256: string;
}

/** Adds a low-rank product to a Linear's weight: W + factor · B A (LoRA, Hu et al. 2021). */
export interface AddPatch {
  readonly kind: 'add';
  readonly product: LowRank;
}

/** A weight and its change. */
export type KeyedPatch = readonly [key: WeightKey, patch: Patch];

/** Takes new weights as they are found. */
export interface PatchSink {
  /** The numbers belong to the sink from now on. */
  add(key: WeightKey, values: Float32Array): Promise<void>;
  /** All that were added, as patches of the source that they belong to. */
  patches(): Promise<readonly KeyedPatch[]>;
}

/** Bytes of a patch's arrays, which `bind` writes into the graph. */
export function bytesOfPatch(patch: Patch): number {
  if (patch.kind === 'replace') return patch.values.byteLength;
  if (patch.kind === 'stored') return 0;
  return patch.product.a.byteLength + patch.product.b.byteLength;
}

/** @throws Error for a patch that does not fit the weight */
export function requireFit(patch: Patch, base: WeightSource, key: WeightKey): void {
  const shape = shapeOfPatch(patch, base, key);
  if (patch.kind === 'replace') {
    requireNumbers(patch.values.length, shape[0] * rowWidth(shape), key);
    return;
  }
  if (patch.kind === 'stored') {
    requireSameShape(patch.tensor, shape, key);
    return;
  }
  const { a, b, rank } = patch.product;
  requireNumbers(a.length, rank * rowWidth(shape), key);
  requireNumbers(b.length, shape[0] * rank, key);
}

function requireNumbers(length: number, count: number, key: WeightKey): void {
  if (length !== count) throw new Error(`a patch of ${keyText(key)} has ${length} numbers in place of ${count}`);
}

function requireSameShape({ dtype, shape }: StoredTensor, expected: readonly number[], key: WeightKey): void {
  if (dtype === 'F32' && isDeepStrictEqual(shape, expected)) return;
  throw new Error(
    `a patch of ${keyText(key)} is ${dtype} [${shape.join(', ')}] in place of F32 [${expected.join(', ')}]`,
  );
}

/** The shape of the patched weight. */
export function shapeOfPatch(patch: Patch, base: WeightSource, key: WeightKey): readonly number[] {
  return (patch.kind === 'replace' ? patch.shape : undefined) ?? base.shape(key);
}

/** The patched weight's numbers in double precision, for some rows or all. */
export async function readPatched(
  patch: Patch,
  base: WeightSource,
  key: WeightKey,
  rows?: Rows,
): Promise<Float64Array> {
  if (patch.kind === 'replace') return Float64Array.from(rowsOf(patch.values, shapeOfPatch(patch, base, key), rows));
  if (patch.kind === 'stored') return Float64Array.from(await readTensor(patch.tensor, rows));
  const values = await readWide(base, key, rows);
  addProduct(values, rows?.start ?? 0, rowWidth(base.shape(key)), patch.product);
  return values;
}

/** Adds the patched weight to a graph; `rows` as in `WeightSource.bind`. */
export function bindPatched(patch: Patch, base: WeightSource, g: Graph, key: WeightKey, rows?: Rows | Value): Value {
  const shape = shapeOfPatch(patch, base, key);
  if (patch.kind === 'replace') return constantRows(g, patch.values, shape, rows);
  // A graph may have the weight of the source too, under the tensor's name.
  if (patch.kind === 'stored') return bindTensor(g, patch.tensor, `patch ${patch.tensor.name}`, rows);
  const { a, rank } = patch.product;
  const width = rowWidth(shape);
  const transposed = new Float32Array(a.length); // (in, rank): Gemm multiplies by a transposed matrix
  for (let r = 0; r < rank; r++) for (let i = 0; i < width; i++) transposed[i * rank + r] = a[r * width + i];
  const b = constantRows(g, scaledB(patch.product), [shape[0], rank], rows);
  return linear(g, b, g.floats(transposed, [width, rank]), base.bind(g, key, rows));
}

/** B multiplied by the factor, in float32: (out, rank). */
export function scaledB({ b, factor }: LowRank): Float32Array {
  return b.map((value) => factor * value);
}

function constantRows(g: Graph, values: Float32Array, shape: readonly number[], rows?: Rows | Value): Value {
  if (rows && 'name' in rows) return takeRows(g, g.floats(values, shape), rows);
  return g.floats(rowsOf(values, shape, rows), rows ? [rows.count, ...shape.slice(1)] : shape);
}

function rowsOf(values: Float32Array, shape: readonly number[], rows?: Rows): Float32Array {
  if (!rows) return values;
  requireRows(rows, shape[0]);
  const width = rowWidth(shape);
  return values.subarray(rows.start * width, (rows.start + rows.count) * width);
}

/** Adds factor · B A to the rows starting at `start`. values: (rows, width) */
function addProduct(values: Float64Array, start: number, width: number, { a, b, rank, factor }: LowRank): void {
  for (let at = 0, row = start; at < values.length; at += width, row++) {
    for (let r = 0; r < rank; r++) {
      const weight = factor * b[row * rank + r];
      const shift = r * width - at;
      for (let i = at; i < at + width; i++) values[i] += weight * a[shift + i];
    }
  }
}
