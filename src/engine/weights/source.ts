/**
 * Where the weights of a model come from. A source brings a weight into a graph, gives its numbers, and tells which of
 * its bytes may be copied as they are. Everything outside this room, `formats` and `write` computes with weights through
 * a source and knows nothing of files.
 */
import type { Architecture } from '../checkpoint/architecture';
import type { WeightKey } from '../checkpoint/weight-key';
import type { Rows, TensorInfo } from '../formats/tensor';
import type { Graph, Value } from '../onnx/graph';

/**
 * The weights of one model. All shapes are those of the weight as the model uses it: Linears (out, in), norms and biases
 * (n), embedding and head (vocabulary, hidden). A method throws an Error for a weight that the model lacks.
 */
export interface WeightSource {
  readonly architecture: Architecture;
  /** Names the model as the identity of a checkpoint does; equal for equal weights from the same files. */
  readonly identity: string;
  /** Bytes of weights that `bind` writes into the graph; all others stay in their files. */
  readonly bytesInGraph: number;

  shape(key: WeightKey): readonly number[];

  /**
   * Brings a weight into a graph, as float32.
   * @param rows a stretch of its rows, or a value that names rows, (n) int64; all rows when undefined
   */
  bind(g: Graph, key: WeightKey, rows?: Rows | Value): Value;

  /**
   * The weight's numbers, or those of some rows, row by row. The array belongs to the caller.
   * @throws UserError when a file cannot be read
   */
  read(key: WeightKey, rows?: Rows): Promise<Float32Array>;

  /** The same before they are rounded to float32; absent where the numbers of a source are float32 anyway. */
  readWide?(key: WeightKey, rows?: Rows): Promise<Float64Array>;

  /** The tensor whose bytes are this weight and may be copied as they are; undefined where the weight is computed. */
  stored(key: WeightKey): TensorInfo | undefined;

  /** How a Linear is applied, where two thin products are cheaper than the sum that `bind` computes. */
  lowRank?(key: WeightKey): LowRankSum | undefined;

  /** Closes the files that `read` has opened. Reading opens them again. */
  close(): Promise<void>;
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

/** The numbers of a weight in double precision: of some rows, or of all. @throws UserError when a file cannot be read */
export async function readWide(source: WeightSource, key: WeightKey, rows?: Rows): Promise<Float64Array> {
  return source.readWide ? source.readWide(key, rows) : Float64Array.from(await source.read(key, rows));
}

/** Numbers in a row of a weight; of a vector each element is a row. */
export function rowWidth(shape: readonly number[]): number {
  return shape.slice(1).reduce((a, b) => a * b, 1);
}
