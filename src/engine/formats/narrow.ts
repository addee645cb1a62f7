/** Converts float32 numbers to the stored types, the reverse of widen.ts. */
import type { WeightDtype } from './dtype';

/** Bytes of one element. */
export const ELEMENT_BYTES: Readonly<Record<WeightDtype, number>> = { F32: 4, F16: 2, BF16: 2 };

/** The smallest magnitude that rounds to infinity: half a step above the largest number of the type. */
export const OVERFLOW: Readonly<Record<WeightDtype, number>> = {
  F32: 2 ** 128 - 2 ** 103,
  F16: 65520,
  BF16: 2 ** 128 - 2 ** 119,
};

/** Writes `values` as little-endian elements of `dtype`, rounded to the nearest, ties to even. */
export function narrow(values: Float32Array, dtype: WeightDtype, into: Uint8Array): Uint8Array {
  const view = new DataView(into.buffer, into.byteOffset, into.byteLength);
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  switch (dtype) {
    case 'F32':
      for (let i = 0; i < bits.length; i++) view.setUint32(4 * i, bits[i], true);
      return into;
    case 'BF16':
      for (let i = 0; i < bits.length; i++) view.setUint16(2 * i, bfloat16Bits(bits[i]), true);
      return into;
    case 'F16':
      for (let i = 0; i < bits.length; i++) view.setUint16(2 * i, float16Bits(bits[i], values[i]), true);
      return into;
  }
}

const INFINITY_BITS = 0x7f800000;

/** The upper half of a float32's bits, rounded. */
function bfloat16Bits(bits: number): number {
  if ((bits & 0x7fffffff) > INFINITY_BITS) return (bits >>> 16) | 0x40; // NaN stays NaN whatever its lower half
  return (bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16;
}

const one = new Float32Array(1);
const bitsOfOne = new Uint32Array(one.buffer);

/** The bits of a number as float16, rounded to the nearest, ties to even. */
export function halfBits(value: number): number {
  one[0] = value;
  return float16Bits(bitsOfOne[0], one[0]);
}

/** IEEE 754 binary16: 5 bits of exponent, 10 of fraction. */
function float16Bits(bits: number, value: number): number {
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fffffff;
  if (magnitude > INFINITY_BITS) return sign | 0x7e00;
  if (Math.abs(value) >= OVERFLOW.F16) return sign | 0x7c00;
  if (magnitude < 0x38800000) return sign | nearestEven(Math.abs(value) * 2 ** 24); // below 2^-14: steps of 2^-24
  // The exponent's bias falls from 127 to 15; a carry out of the fraction raises the exponent, as it should.
  return sign | ((magnitude + 0xfff + ((magnitude >>> 13) & 1) - 0x38000000) >>> 13);
}

function nearestEven(x: number): number {
  const floor = Math.floor(x);
  const rest = x - floor;
  return rest > 0.5 || (rest === 0.5 && floor % 2 === 1) ? floor + 1 : floor;
}
