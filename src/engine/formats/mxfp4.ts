/**
 * MXFP4 as safetensors files have it (OCP Microscaling Formats 1.0): 32 numbers of four bits with one scale, blocks and scales in
 * tensors of their own. A number is a sign, two bits of an exponent and one of a fraction; a scale is a power of two.
 */
import type { Rows } from './tensor';

/** Of the numbers without their scale. */
export const MXFP4_BLOCK = { elements: 32, bytes: 16 } as const;

const MAGNITUDES = [0, 0.5, 1, 1.5, 2, 3, 4, 6];

/** By the four bits. */
const NUMBERS = Float32Array.from({ length: 16 }, (_, bits) => (bits < 8 ? 1 : -1) * MAGNITUDES[bits % 8]);

/** A scale of 0 stands for 2^-127. */
const BIAS = 127;

/** The scale that stands for no number. */
const NOT_A_NUMBER = 255;

/**
 * The numbers of blocks. Of two in a byte the first one has the lower bits.
 * @param into 32 for each block
 */
export function dequantizeMxfp4(blocks: Uint8Array, scales: Uint8Array, into: Float32Array): void {
  for (const [block, exponent] of scales.entries()) {
    const scale = exponent === NOT_A_NUMBER ? NaN : 2 ** (exponent - BIAS);
    const from = block * MXFP4_BLOCK.bytes;
    const to = block * MXFP4_BLOCK.elements;
    for (let i = 0; i < MXFP4_BLOCK.bytes; i++) {
      const byte = blocks[from + i];
      into[to + 2 * i] = NUMBERS[byte & 15] * scale;
      into[to + 2 * i + 1] = NUMBERS[byte >> 4] * scale;
    }
  }
}

/** Bytes of the lines that some rows of a weight are, and of all lines between them. */
export const spanOf = (
  { first, step }: { readonly first: number; readonly step: number },
  { start, count }: Rows,
): Rows => {
  return { start: first + step * start, count: count === 0 ? 0 : step * (count - 1) + 1 };
};
