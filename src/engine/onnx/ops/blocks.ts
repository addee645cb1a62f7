/**
 * Products with weights in blocks: some neighbouring numbers of a row share a scale and a zero point. The operator rounds
 * the input to 8 bits too, with a scale for each token and block, and sums up in integers and float32.
 */
import type { Graph, Value } from '../graph';
import { mul, sub } from './elementwise';
import { reduceSum } from './reduce';
import { cast, concat, reshape, split, takeRows } from './shapes';

/** Numbers of a row that share a scale and a zero point. */
export const BLOCK = 32;

export type BlockBits = 4 | 8;

/** Blocks of a row; the last one may be filled up. */
export const blocksOf = (width: number): number => Math.ceil(width / BLOCK);

/** Bytes of a row's zero points: two share a byte if they have 4 bits, and a row starts with a new byte. */
export const zeroBytesOf = (width: number, bits: BlockBits): number => Math.ceil((blocksOf(width) * bits) / 8);

/**
 * Columns of a matrix whose blocks have offsets: behind the numbers of each row there is an offset for each of its blocks, as one
 * more column. For widths of whole blocks.
 */
export const columnsWithOffsets = (width: number): number => width + blocksOf(width);

/** A matrix of `out` rows in blocks: number i of block b is (values − zeros[b]) · scales[b]. */
export interface BlockMatrix {
  readonly bits: BlockBits;
  /** Numbers of a row without filling, offsets included. */
  readonly columns: number;
  /** uint8, (out, blocks, BLOCK · bits / 8); of two numbers in a byte, the first has the lower bits. */
  readonly values: Value;
  /** float32, (out · blocks) or (out, blocks). */
  readonly scales: Value;
  /** uint8, (out · zeroBytesOf(width)) or (out, zeroBytesOf(width)). */
  readonly zeros: Value;
}

/** Inputs are rounded to 8 bits: onnxruntime's name for it. */
const INT8_INPUTS = 4;

/**
 * x Wᵀ + bias. x: (tokens, columns) → float32 (tokens, out). No gradient.
 * @param accuracy the operator's `accuracy_level`: 4 rounds the input to 8 bits, 0 leaves it float32
 */
export function blockLinear(
  g: Graph,
  x: Value,
  matrix: BlockMatrix,
  bias?: Value,
  accuracy: 0 | 4 = INT8_INPUTS,
): Value {
  const { bits, columns, values, scales, zeros } = matrix;
  const out = Number(values.shape[0]);
  const inputs = [x, values, scales, zeros, ...(bias ? [undefined, bias] : [])];
  const attributes = { K: columns, N: out, bits, block_size: BLOCK, accuracy_level: accuracy };
  return g.contribOp('MatMulNBits', inputs, { type: 'float32', shape: [x.shape[0], out] }, attributes);
}

/**
 * Rows of a matrix in blocks of 8 bits, as float32, by plain operators: onnxruntime's own for it (GatherBlockQuantized) takes 8
 * bits on the CPU only, and browsers have none. rows: (…) int64 → (…, columns). No gradient.
 * @param matrix whose scales and zero points have a row for each of its rows
 */
export function takeBlockRows(g: Graph, matrix: BlockMatrix, rows: Value): Value {
  const { bits, columns, values, scales, zeros } = matrix;
  if (bits !== 8) throw new Error(`rows of ${bits} bits`);
  const blocks = blocksOf(columns);
  const taken = (table: Value, width: number): Value =>
    reshape(g, cast(g, takeRows(g, table, rows), 'float32'), [...rows.shape, blocks, width]);
  const numbers = mul(g, sub(g, taken(values, BLOCK), taken(zeros, 1)), taken(scales, 1));
  const filled = blocks * BLOCK;
  const found = reshape(g, numbers, [...rows.shape, filled]);
  return filled === columns ? found : split(g, found, rows.shape.length, [columns, filled - columns])[0];
}

/** The input of a matrix with offsets: x, and behind it the sum of each of its blocks. (tokens, width) → (tokens, columns) */
export function withBlockSums(g: Graph, x: Value): Value {
  const [tokens, width] = [x.shape[0], Number(x.shape[1])];
  const blocks = reshape(g, x, [tokens, blocksOf(width), BLOCK]);
  return concat(g, [x, reduceSum(g, blocks, [2])], 1);
}
