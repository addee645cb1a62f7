/** Converts stored weights to float32. */
import type { StoredDtype } from './dtype';

/**
 * Widens little-endian F32, F16 or BF16 bytes to float32; exact for all three.
 * @throws Error for another dtype
 */
export function widen(bytes: Uint8Array, dtype: StoredDtype, into: Float32Array): Float32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  switch (dtype) {
    case 'F32':
      for (let i = 0; i < into.length; i++) into[i] = view.getFloat32(4 * i, true);
      return into;
    case 'BF16': {
      const bits = new Uint32Array(into.buffer, into.byteOffset, into.length);
      for (let i = 0; i < into.length; i++) bits[i] = view.getUint16(2 * i, true) << 16;
      return into;
    }
    case 'F16':
      for (let i = 0; i < into.length; i++) into[i] = halfToFloat(view.getUint16(2 * i, true));
      return into;
    default:
      throw new Error(`weights of dtype ${dtype} are not widened`);
  }
}

let halves: Float32Array | undefined;

/** The number that IEEE 754 binary16 bits encode. There are few, so they are computed once. */
export function halfToFloat(bits: number): number {
  halves ??= Float32Array.from({ length: 2 ** 16 }, (_, each) => decodeHalf(each));
  return halves[bits];
}

function decodeHalf(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
