/**
 * Sources of weights. A source adds a weight to a graph, returns its numbers, and names the stored bytes that can be
 * copied unchanged. Code outside this room, `formats` and `write` uses weights only through a source and does not know
 * files.
 */
import type { Architecture } from '../checkpoint/architecture';
import type { WeightKey } from '../checkpoint/weight-key';
import { type Dtype, elementTypeOf } from '../formats/dtype';
import type { Rows, TensorInfo } from '../formats/tensor';
import type { ElementType, Graph, Value } from '../onnx/graph';
import { linear } from '../onnx/ops/linear';
import type { Precision } from '../precision';

/**
 * The weights of one model. All shapes are the shapes in the model: Linears (out, in), norms and biases (n), embedding
 * and head (vocabulary, hidden). A method throws an Error for a weight that the model does not have.
 */
export interface WeightSource {
  readonly architecture: Architecture;
  /** Identifies the model like the identity of a checkpoint; equal for equal weights from the same files. */
  readonly identity: string;
  /** Tells files apart that have one identity: where they lie, and when they were written. */
  readonly revision?: string;
  /** Bytes of weights that `bind` writes into the graph; all others remain in their files. */
  readonly bytesInGraph: number;

  shape(key: WeightKey): readonly number[];

  /**
   * Adds a weight to a graph, as float32.
   * @param rows a range of its rows, or a value with row numbers, (n) int64; all rows when undefined
   */
  bind(g: Graph, key: WeightKey, rows?: Rows | Value): Value;

  /**
   * The numbers of the weight or of some rows, row by row. The array belongs to the caller.
   * @throws UserError when a file cannot be read
   */
  read(key: WeightKey, rows?: Rows): Promise<Float32Array>;

  /** The same before rounding to float32; absent if the numbers of the source are float32 already. */
  readWide?(key: WeightKey, rows?: Rows): Promise<Float64Array>;

  /**
   * The stored tensor that has the numbers of this weight, in its own type and order of rows; undefined if the weight is
   * computed.
   */
  stored(key: WeightKey): TensorInfo | undefined;

  /** The type in which a checkpoint stores a weight that is computed from it; absent if `stored` tells all types. */
  storedType?(key: WeightKey): Dtype | undefined;

  /** Applies a Linear with two thin products if they are cheaper than the sum that `bind` computes. */
  lowRank?(key: WeightKey): LowRankSum | undefined;

  /**
   * The source that has the numbers of this weight, without a product that `lowRank` names: a layer without a change for
   * this weight names the one below it. Absent if it is this source.
   */
  origin?(key: WeightKey): WeightSource;

  /** Equal for equal blocks of one precision, also in other checkpoints; without products that `lowRank` names. */
  blockIdentity?(layer: number): string;

  /** The arithmetic of `apply`; float32 if absent. */
  readonly precision?: Precision;

  /**
   * Applies Linears to one input in the arithmetic of the source, so that they can share work on it. Absent if that is
   * the float32 product of `bind`: callers use `applyLinears`.
   * @param x (tokens, in)
   * @returns x Wᵀ + bias for each, float32, (tokens, out)
   */
  apply?(g: Graph, x: Value, linears: readonly AppliedLinear[]): Value[];

  /** The same where weights are fed to a graph, as on a GPU. Absent where they are fed as float32. */
  readonly fed?: FedProducts;

  /**
   * Looks at the weights that graphs have got since the last call; awaited before a session is opened over them. Absent
   * if every number suits the arithmetic.
   * @throws UserError for a weight that does not, with its name; CancelledError
   */
  check?(signal?: AbortSignal): Promise<void>;

  /** Frees what only opening a session needs. The next session makes it again. */
  release?(): Promise<void>;

  /** Releases the source, and closes the files that `read` opened. Reading opens them again. */
  close(): Promise<void>;
}

/** Products with weights that are fed in the type of the arithmetic. */
export interface FedProducts {
  readonly type: ElementType;
  /** Brings a weight into the graph that loads it, in that type. */
  bind(g: Graph, key: WeightKey): Value;
  /** As `WeightSource.apply`. */
  apply(g: Graph, x: Value, linears: readonly FedLinear[]): Value[];
}

/** A Linear whose weight is in the graph: (out, in), with its bias, (out) float32. */
export interface FedLinear {
  readonly weight: Value;
  readonly bias?: Value;
}

/** A Linear, or the head, as it is applied to an input. */
export interface AppliedLinear {
  readonly key: WeightKey;
  /** Some of its rows: a piece of the head. */
  readonly rows?: Rows;
  /** (out) */
  readonly bias?: Value;
}

/** Applies Linears to one input in the arithmetic of their source. x: (tokens, in) → float32 (tokens, out) each */
export function applyLinears(
  g: Graph,
  source: WeightSource,
  x: Value,
  linears: readonly AppliedLinear[],
): readonly Value[] {
  if (source.apply) return source.apply(g, x, linears);
  return linears.map(({ key, rows, bias }) => linear(g, x, source.bind(g, key, rows), bias));
}

/** A product B A of low rank, times a factor. */
export interface LowRank {
  readonly rank: number;
  /** (rank, in) */
  readonly a: Float32Array;
  /** (out, rank) */
  readonly b: Float32Array;
  readonly factor: number;
}

/** A weight that is W + factor · B A; `base` has W. */
export interface LowRankSum {
  readonly base: WeightSource;
  readonly product: LowRank;
}

/** The source of a weight's numbers, without a product that `lowRank` names. */
export const originOf = (source: WeightSource, key: WeightKey): WeightSource => source.origin?.(key) ?? source;

/** The source of a weight's numbers, with such a product. */
export const wholeOrigin = (source: WeightSource, key: WeightKey): WeightSource =>
  source.lowRank?.(key) ? source : originOf(source, key);

/** The numbers of a weight, or of some rows, in double precision. @throws UserError when a file cannot be read */
export async function readWide(source: WeightSource, key: WeightKey, rows?: Rows): Promise<Float64Array> {
  return source.readWide ? source.readWide(key, rows) : new Float64Array(await source.read(key, rows));
}

/** The type in which a checkpoint of the safetensors format stores this weight exactly; undefined if nothing tells. */
export function typeInCheckpoint(
  source: Pick<WeightSource, 'stored' | 'storedType'>,
  key: WeightKey,
): Dtype | undefined {
  const stored = source.stored(key)?.dtype;
  return source.storedType?.(key) ?? (stored && elementTypeOf(stored));
}

/** Numbers in a row of a weight; each element of a vector is a row. */
export function rowWidth(shape: readonly number[]): number {
  return shape.slice(1).reduce((a, b) => a * b, 1);
}

/** The source of a weight without an added product, which only Linears of blocks have. */
export function baseOf(source: WeightSource, key: WeightKey): WeightSource {
  return typeof key === 'string' ? source : (source.lowRank?.(key)?.base ?? source);
}
