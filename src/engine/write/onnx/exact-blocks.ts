/**
 * Numbers in blocks without a further loss where they are such blocks already: those of a quantized file, after dequantizing,
 * are multiples of one number (Q4_0, Q5_0 and Q8_0 of GGUF, for example), and few enough of them fit into the bits.
 */
import { BLOCK, type BlockBits, blocksOf } from '../../onnx/ops/blocks';
import {
  copyBlock,
  emptyRows,
  fillBytes,
  fillNibbles,
  type QuantizedRows,
  setZero,
} from '../../weights/blocks/quantize';

/**
 * Rows in blocks, exact where integers times a scale give the numbers, otherwise rounded.
 * @param numbers whole rows of `width`, one after another; all finite
 */
export function exactOrRounded(numbers: Float32Array, width: number, bits: BlockBits): QuantizedRows {
  const rows = numbers.length / width;
  const blocks = blocksOf(width);
  const result = emptyRows(rows, width, bits);
  const { values, scales } = result;
  const round = bits === 8 ? fillBytes : fillNibbles;
  const block = new Float32Array(BLOCK);
  for (let row = 0; row < rows; row++) {
    for (let b = 0; b < blocks; b++) {
      const index = row * blocks + b;
      copyBlock(numbers, row, width, b, block);
      const zero = fillExactly(block, result, index, bits) ?? round(block, values, index, scales);
      setZero(result, row, width, b, bits, zero);
    }
  }
  return result;
}

/** Writes block number `index` if that is possible without rounding. @returns the zero point; undefined if it is not */
function fillExactly(
  block: Float32Array,
  { values, scales }: QuantizedRows,
  index: number,
  bits: BlockBits,
): number | undefined {
  let [least, greatest] = [0, 0];
  for (const number of block) {
    if (number < least) least = number;
    else if (number > greatest) greatest = number;
  }
  const step = commonStep(block, (greatest - least) / (2 ** bits - 1));
  if (step === undefined) return undefined;
  scales[index] = step;
  const zero = step === 0 ? 0 : -least / step;
  for (let i = 0; i < BLOCK; i++) {
    const integer = step === 0 ? 0 : block[i] / step + zero;
    const at = index * BLOCK + i;
    if (bits === 8) values[at] = integer;
    else values[at >> 1] |= integer << (4 * (at & 1));
  }
  return zero;
}

/**
 * The largest number that all numbers are multiples of, by Euclid's algorithm: remainders of float32 numbers are exact in
 * double precision.
 * @param smallest what is below it is of no use
 * @returns undefined for a smaller one; 0 for zeros
 */
function commonStep(block: Float32Array, smallest: number): number | undefined {
  let step = 0;
  for (const number of block) {
    let rest = Math.abs(number);
    while (rest !== 0) [step, rest] = [rest, step % rest];
    // A sum of several steps may be rounded when it is divided, but never by a whole step.
    if (step !== 0 && step < smallest * (1 - 1e-6)) return undefined;
  }
  return Math.fround(step) === step ? step : undefined;
}
