/** Reads elements of every stored type as numbers, for display. For computing, widen.ts widens them. */
import { type Dtype, DTYPE_BITS, isBlockType, isElementType, type StoredDtype } from './dtype';
import { dequantize } from './gguf/dequantize';
import { TENSOR_TYPES_BY_NAME } from './gguf/types';
import { widen } from './widen';

type Read = (view: DataView, at: number) => number;

const READERS: Readonly<Partial<Record<Dtype, Read>>> = {
  BOOL: (view, at) => view.getUint8(at),
  U8: (view, at) => view.getUint8(at),
  I8: (view, at) => view.getInt8(at),
  U16: (view, at) => view.getUint16(at, true),
  I16: (view, at) => view.getInt16(at, true),
  U32: (view, at) => view.getUint32(at, true),
  I32: (view, at) => view.getInt32(at, true),
  U64: (view, at) => Number(view.getBigUint64(at, true)),
  I64: (view, at) => Number(view.getBigInt64(at, true)),
  F64: (view, at) => view.getFloat64(at, true),
  F8_E5M2: (view, at) => float8(view.getUint8(at), 5, 2, true),
  F8_E4M3: (view, at) => float8(view.getUint8(at), 4, 3, false),
  F8_E8M0: (view, at) => scale8(view.getUint8(at)),
};

/**
 * Converts bytes of this type to numbers, whole blocks of a type with blocks; undefined for types whose elements are not real
 * numbers in whole bytes, and for blocks that Coppice does not know.
 */
export function numbersOf(dtype: StoredDtype): ((bytes: Uint8Array) => Iterable<number>) | undefined {
  if (isBlockType(dtype)) {
    const { blockElements, blockBytes } = TENSOR_TYPES_BY_NAME.get(dtype)!;
    return (bytes) => dequantize(bytes, dtype, new Float32Array((bytes.length / blockBytes) * blockElements));
  }
  if (!isElementType(dtype)) return undefined;
  const size = DTYPE_BITS[dtype] / 8;
  if (dtype === 'F32' || dtype === 'F16' || dtype === 'BF16') {
    return (bytes) => widen(bytes, dtype, new Float32Array(bytes.length / size));
  }
  const read = READERS[dtype];
  if (!read) return undefined;
  return (bytes) => {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    return Float64Array.from({ length: bytes.length / size }, (_, i) => read(view, i * size));
  };
}

/** E5M2 has infinities like IEEE 754. E4M3 uses their patterns for numbers and has one NaN per sign. */
function float8(bits: number, exponentBits: number, fractionBits: number, infinities: boolean): number {
  const sign = bits & 0x80 ? -1 : 1;
  const bias = 2 ** (exponentBits - 1) - 1;
  const highest = 2 ** exponentBits - 1;
  const exponent = (bits >> fractionBits) & highest;
  const fraction = bits & (2 ** fractionBits - 1);
  if (exponent === highest && infinities) return fraction === 0 ? sign * Infinity : NaN;
  if (exponent === highest && fraction === 2 ** fractionBits - 1) return NaN;
  if (exponent === 0) return sign * fraction * 2 ** (1 - bias - fractionBits);
  return sign * (1 + fraction / 2 ** fractionBits) * 2 ** (exponent - bias);
}

/** A power of two; the highest pattern is NaN. */
function scale8(bits: number): number {
  return bits === 255 ? NaN : 2 ** (bits - 127);
}
