/**
 * Rounds numbers to integers in blocks of a row. Each block has a scale and a zero point, which is one of the integers, so
 * that 0 stays 0.
 *
 * With 8 bits, the integers span the range of the block. With 4 bits that wastes some of the 16 on the few outermost
 * numbers, so some narrower ranges are tried too, each with the scale that is best for its integers (least squares). The
 * sum of squared errors decides, in which large numbers weigh more: errors of those were seen to cost more perplexity.
 */
import { BLOCK, type BlockBits, blocksOf, zeroBytesOf } from '../../onnx/ops/blocks';

/** Rows in blocks, as `BlockMatrix` describes them. */
export interface QuantizedRows {
  readonly values: Uint8Array<ArrayBuffer>;
  readonly scales: Float32Array<ArrayBuffer>;
  readonly zeros: Uint8Array<ArrayBuffer>;
}

/** Tried with 4 bits, relative to the range from the least to the greatest number. */
const RANGES = [1.01, 0.95, 0.89, 0.83];

/** @param numbers whole rows of `width`, one after another; all finite */
export function quantizeRows(numbers: Float32Array, width: number, bits: BlockBits): QuantizedRows {
  const rows = numbers.length / width;
  const blocks = blocksOf(width);
  const result = emptyRows(rows, width, bits);
  const { values, scales } = result;
  const block = new Float32Array(BLOCK);
  for (let row = 0; row < rows; row++) {
    for (let b = 0; b < blocks; b++) {
      const index = row * blocks + b;
      copyBlock(numbers, row, width, b, block);
      const zero = bits === 8 ? fillBytes(block, values, index, scales) : fillNibbles(block, values, index, scales);
      setZero(result, row, width, b, bits, zero);
    }
  }
  return result;
}

/** Rows of zeros with so many columns. */
export function emptyRows(rows: number, columns: number, bits: BlockBits): QuantizedRows {
  const blocks = blocksOf(columns);
  return {
    values: new Uint8Array((rows * blocks * BLOCK * bits) / 8),
    scales: new Float32Array(rows * blocks),
    zeros: new Uint8Array(rows * zeroBytesOf(columns, bits)),
  };
}

/** Copies block b of a row, filled up with zeros. */
export function copyBlock(numbers: Float32Array, row: number, width: number, b: number, block: Float32Array): void {
  const count = Math.min(BLOCK, width - b * BLOCK);
  const at = row * width + b * BLOCK;
  for (let i = 0; i < BLOCK; i++) block[i] = i < count ? numbers[at + i] : 0;
}

/** Writes the zero point of block b of a row. It is 0 before. */
export function setZero(
  { zeros }: QuantizedRows,
  row: number,
  columns: number,
  b: number,
  bits: BlockBits,
  zero: number,
): void {
  const at = row * zeroBytesOf(columns, bits);
  if (bits === 8) zeros[at + b] = zero;
  else zeros[at + (b >> 1)] |= zero << (4 * (b & 1));
}

/** Writes the integers and the scale of block number `index`. @returns the zero point */
export function fillBytes(block: Float32Array, values: Uint8Array, index: number, scales: Float32Array): number {
  const least = leastOf(block);
  const range = greatestOf(block) - least;
  if (range === 0) return 0;
  scales[index] = range / 255;
  const inverse = 1 / scales[index];
  const zero = clamped(-least * inverse, 255);
  const to = index * BLOCK;
  for (let i = 0; i < BLOCK; i++) values[to + i] = clamped(block[i] * inverse + zero, 255);
  return zero;
}

/** The same for integers of 4 bits. */
export function fillNibbles(block: Float32Array, values: Uint8Array, index: number, scales: Float32Array): number {
  const least = leastOf(block);
  const range = greatestOf(block) - least;
  if (range === 0) return 0;
  const typical = rootMeanSquare(block);
  let best = 0;
  let inverse = 0;
  let zero = 0;
  let scale = 0;
  for (const tried of RANGES) {
    const tryInverse = 15 / (tried * range);
    const tryZero = clamped(-least * tryInverse, 15);
    let product = 0;
    let square = 0;
    for (let i = 0; i < BLOCK; i++) {
      const value = block[i];
      const steps = clamped(value * tryInverse + tryZero, 15) - tryZero;
      const weight = typical + Math.abs(value);
      product += weight * value * steps;
      square += weight * steps * steps;
    }
    // With the scale product / square, the squared error is less by this than that of zeros.
    const gain = (product * product) / square;
    if (!(gain > best)) continue;
    best = gain;
    inverse = tryInverse;
    zero = tryZero;
    scale = product / square;
  }
  scales[index] = scale;
  const to = (index * BLOCK) / 2;
  for (let i = 0; i < BLOCK; i += 2) {
    const low = clamped(block[i] * inverse + zero, 15);
    values[to + i / 2] = low | (clamped(block[i + 1] * inverse + zero, 15) << 4);
  }
  return zero;
}

/** The nearest integer from 0 to `most`. */
export function clamped(value: number, most: number): number {
  const integer = (value + 0.5) | 0; // truncates: what is below 0 becomes 0 or less
  return integer < 0 ? 0 : integer > most ? most : integer;
}

export function rootMeanSquare(block: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < BLOCK; i++) sum += block[i] * block[i];
  return Math.sqrt(sum / BLOCK);
}

/** The least number, at most 0. */
function leastOf(block: Float32Array): number {
  let least = 0;
  for (let i = 0; i < BLOCK; i++) if (block[i] < least) least = block[i];
  return least;
}

/** The greatest number, at least 0. */
function greatestOf(block: Float32Array): number {
  let greatest = 0;
  for (let i = 0; i < BLOCK; i++) if (block[i] > greatest) greatest = block[i];
  return greatest;
}
