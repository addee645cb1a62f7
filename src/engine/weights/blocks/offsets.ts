/**
 * Blocks of 4 bits with offsets. A zero point is an integer, so a block's least number is off by up to half a step. That is
 * little beside the rounding of its numbers, unless these lie on a grid already: those of a checkpoint that was made from
 * a Q4_1 file of llama.cpp. Such a block is a multiple of its integers plus a least number. With an offset it is kept as it is.
 *
 * Offsets are further columns of the matrix, 4 bits each, and their inputs are the sums of the blocks of x:
 *
 *     Σᵢ (s (qᵢ − z) + o) xᵢ = s Σᵢ (qᵢ − z) xᵢ + o Σᵢ xᵢ
 */
import { type LayerShape, linearGroups } from '../../checkpoint/architecture';
import { expertGroups } from '../../checkpoint/kinds/experts';
import { type WeightKey, weightOf } from '../../checkpoint/weight-key';
import { BLOCK, blocksOf, columnsWithOffsets, zeroBytesOf } from '../../onnx/ops/blocks';
import { baseOf, type WeightSource } from '../source';
import {
  clamped,
  copyBlock,
  emptyRows,
  fillNibbles,
  type QuantizedRows,
  quantizeRows,
  rootMeanSquare,
  setZero,
} from './quantize';
import { offsetsOfFile } from './stored';

const BITS = 4;
/** Largest integer. */
const MOST = 15;

/** Tried in turn: the integers that the range spans. With more than 15, the outermost numbers are cut off. */
const SPANS = [15, 14, 13, 15.8, 16.8];

/** Offsets are worth their columns where they leave less than this share of the squared error. */
const WORTH = 0.25;
/** Rows that are looked at, in each of three blocks. */
const SAMPLE = 16;

/**
 * Rows of 4 bits with offsets: `columnsWithOffsets` columns each.
 * @param numbers whole rows of `width`, one after another; all finite
 * @param width a multiple of BLOCK
 */
export function quantizeWithOffsets(numbers: Float32Array, width: number): QuantizedRows {
  const rows = numbers.length / width;
  const columns = columnsWithOffsets(width);
  const [blocks, perRow] = [blocksOf(width), blocksOf(columns)];
  const result = emptyRows(rows, columns, BITS);
  const { values, scales } = result;
  const block = new Float32Array(BLOCK);
  const offsets = new Float32Array(blocks);
  for (let row = 0; row < rows; row++) {
    for (let b = 0; b < blocks; b++) {
      copyBlock(numbers, row, width, b, block);
      const { scale, least, levels } = fit(block);
      const zero = scale === 0 ? 0 : clamped(-least / scale, MOST);
      const index = row * perRow + b;
      scales[index] = scale;
      offsets[b] = least + zero * scale;
      for (let i = 0; i < BLOCK; i += 2) values[(index * BLOCK + i) / 2] = levels[i] | (levels[i + 1] << 4);
      setZero(result, row, columns, b, BITS, zero);
    }
    for (let b = blocks; b < perRow; b++) {
      copyBlock(offsets, 0, blocks, b - blocks, block);
      setZero(result, row, columns, b, BITS, fillNibbles(block, values, row * perRow + b, scales));
    }
  }
  return result;
}

/** number i ≈ least + scale · levels[i] */
interface Fit {
  readonly scale: number;
  readonly least: number;
  readonly levels: Uint8Array;
}

/**
 * The best of the spans. For given integers, scale and least number have the least squares, in which large numbers weigh
 * more, as in `fillNibbles`.
 */
function fit(block: Float32Array): Fit {
  let [low, high] = [Infinity, -Infinity];
  for (const value of block) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  if (low === high) return { scale: 0, least: low, levels: new Uint8Array(BLOCK) };
  const typical = rootMeanSquare(block);
  let best: Fit | undefined;
  let leastError = Infinity;
  for (const span of SPANS) {
    const levels = new Uint8Array(BLOCK);
    const inverse = span / (high - low);
    const start = low + (0.5 * Math.max(0, span - MOST)) / inverse; // what is cut off is the same on both sides
    let [w, wq, wqq, wv, wvq] = [0, 0, 0, 0, 0];
    for (let i = 0; i < BLOCK; i++) {
      const value = block[i];
      const level = (levels[i] = clamped((value - start) * inverse, MOST));
      const weight = typical + Math.abs(value);
      w += weight;
      wq += weight * level;
      wqq += weight * level * level;
      wv += weight * value;
      wvq += weight * value * level;
    }
    const scale = (w * wvq - wq * wv) / (w * wqq - wq * wq);
    const least = (wv - scale * wq) / w;
    let error = 0;
    for (let i = 0; i < BLOCK; i++) {
      const off = block[i] - least - scale * levels[i];
      error += (typical + Math.abs(block[i])) * off * off;
    }
    if (error < leastError) [best, leastError] = [{ scale, least, levels }, error];
  }
  return best!;
}

/**
 * Whether offsets are worth their columns: as the types in a GGUF file say, else judged by some rows of the first, the middle and the last block.
 * @throws UserError when a file cannot be read
 */
export async function needOffsets(source: WeightSource): Promise<boolean> {
  const { layers } = source.architecture;
  const keysOf = (layer: number): WeightKey[] => sampledGroups(layers[layer]).map(([name]) => ({ layer, name }));
  const widthOf = (key: WeightKey): number => weightOf(source.architecture, key)!.shape[1];
  if (layers.length === 0 || layers.some((_, i) => keysOf(i).some((key) => widthOf(key) % BLOCK !== 0))) return false;
  const said = offsetsOfFile(
    source,
    layers.flatMap((_, layer) => keysOf(layer)),
  );
  if (said !== undefined) return said;
  let [without, withOffsets] = [0, 0];
  for (const layer of new Set([0, layers.length >> 1, layers.length - 1])) {
    for (const key of keysOf(layer)) {
      const [out, width] = weightOf(source.architecture, key)!.shape;
      const numbers = await baseOf(source, key).read(key, { start: 0, count: Math.min(SAMPLE, out) });
      without += squaredError(numbers, width, quantizeRows(numbers, width, BITS), width);
      withOffsets += squaredError(numbers, width, quantizeWithOffsets(numbers, width), columnsWithOffsets(width));
    }
  }
  return withOffsets < WORTH * without;
}

/** The Linears that share an input. Of experts the first stands for all: they are stored alike. */
const sampledGroups = (layer: LayerShape): ReturnType<typeof linearGroups> => [
  ...linearGroups(layer),
  ...(layer.ffn.kind === 'experts' ? expertGroups(0) : []),
];

/** Σ (number − what it is in blocks)², over the rows' mean square, so that all matrices count alike. */
function squaredError(numbers: Float32Array, width: number, rows: QuantizedRows, columns: number): number {
  const perRow = blocksOf(columns);
  const numberAt = (row: number, column: number): number => {
    const b = Math.floor(column / BLOCK);
    const at = row * perRow * BLOCK + column;
    const level = (rows.values[at >> 1] >> (4 * (at & 1))) & MOST;
    const zero = (rows.zeros[row * zeroBytesOf(columns, BITS) + (b >> 1)] >> (4 * (b & 1))) & MOST;
    return (level - zero) * rows.scales[row * perRow + b];
  };
  let [errors, squares] = [0, 0];
  for (let i = 0; i < numbers.length; i++) {
    const [row, column] = [Math.floor(i / width), i % width];
    const offset = columns > width ? numberAt(row, width + Math.floor(column / BLOCK)) : 0;
    errors += (numbers[i] - numberAt(row, column) - offset) ** 2;
    squares += numbers[i] ** 2;
  }
  return squares === 0 ? 0 : errors / squares;
}
