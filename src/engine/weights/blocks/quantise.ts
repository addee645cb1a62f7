/**
 * Rounds numbers to integers in blocks of a row. Each block has a scale and a zero point, which is one of the integers, so
 * that 0 stays 0.
 */
import { BLOCK, type BlockBits, blocksOf, zeroBytesOf } from '../../onnx/ops/blocks';

/** Rows in blocks, as `BlockMatrix` describes them. */
export interface QuantisedRows {
  readonly values: Uint8Array<ArrayBuffer>;
  readonly scales: Float32Array<ArrayBuffer>;
  readonly zeros: Uint8Array<ArrayBuffer>;
}

/** @param numbers whole rows of `width`, one after another */
export function quantiseRows(numbers: Float32Array, width: number, bits: BlockBits): QuantisedRows {
  const rows = numbers.length / width;
  const blocks = blocksOf(width);
  const zeroBytes = zeroBytesOf(width, bits);
  const values = new Uint8Array((rows * blocks * BLOCK * bits) / 8);
  const scales = new Float32Array(rows * blocks);
  const zeros = new Uint8Array(rows * zeroBytes);
  const integers = new Uint8Array(BLOCK);
  for (let row = 0; row < rows; row++) {
    for (let block = 0; block < blocks; block++) {
      const at = row * width + block * BLOCK;
      const index = row * blocks + block;
      const end = Math.min(at + BLOCK, (row + 1) * width);
      const { scale, zero } = fit(numbers, at, end, 2 ** bits - 1);
      scales[index] = scale;
      const inverse = scale === 0 ? 0 : 1 / scale;
      integers.fill(0);
      for (let i = at; i < end; i++) {
        const integer = Math.round(numbers[i] * inverse) + zero;
        integers[i - at] = integer < 0 ? 0 : Math.min(integer, 2 ** bits - 1);
      }
      if (bits === 8) {
        values.set(integers, index * BLOCK);
        zeros[row * zeroBytes + block] = zero;
      } else {
        const to = (index * BLOCK) / 2;
        for (let i = 0; i < BLOCK; i += 2) values[to + i / 2] = integers[i] | (integers[i + 1] << 4);
        zeros[row * zeroBytes + (block >> 1)] |= zero << (4 * (block & 1));
      }
    }
  }
  return { values, scales, zeros };
}

/** Scale and zero point for the numbers from `at` to `end`: the range from the least to the greatest, with 0. */
function fit(numbers: Float32Array, at: number, end: number, most: number): { scale: number; zero: number } {
  let [least, greatest] = [0, 0];
  for (let i = at; i < end; i++) {
    if (numbers[i] < least) least = numbers[i];
    else if (numbers[i] > greatest) greatest = numbers[i];
  }
  const scale = Math.fround((greatest - least) / most);
  return { scale, zero: scale === 0 ? 0 : Math.round(-least / scale) };
}
