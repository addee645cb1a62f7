/**
 * The numbers of GGUF's quantized blocks, in float32 and in the order of operations of ggml's own functions
 * (`dequantize_row_*`), so that every bit is the same. A row is a whole number of blocks; ggml's name of a type tells the
 * layout: Q4_1 has four bits, a scale and a minimum for each 32 numbers, the K types have blocks of 256 whose parts have
 * scales of their own.
 */
import type { BlockType } from '../dtype';
import { halfToFloat } from '../widen';
import { TENSOR_TYPES_BY_NAME } from './types';

/** Writes the numbers of the block that begins at byte `b` into `out` from `o`. */
type Dequantize = (bytes: Uint8Array, b: number, out: Float32Array, o: number) => void;

/**
 * The numbers of whole blocks.
 * @param into as many numbers as the blocks have
 */
export function dequantize(bytes: Uint8Array, type: BlockType, into: Float32Array): Float32Array {
  const { blockElements: elements, blockBytes: size } = TENSOR_TYPES_BY_NAME.get(type)!;
  if (bytes.length * elements !== into.length * size) throw new Error(`${bytes.length} bytes of ${type}`);
  const each = DEQUANTIZE[type];
  for (let b = 0, o = 0; b < bytes.length; b += size, o += elements) each(bytes, b, into, o);
  return into;
}

const { fround } = Math;

const u16 = (bytes: Uint8Array, at: number): number => bytes[at] | (bytes[at + 1] << 8);
const half = (bytes: Uint8Array, at: number): number => halfToFloat(u16(bytes, at));
const signed = (byte: number): number => (byte << 24) >> 24;

/** The values that the four bits of IQ4_NL and IQ4_XS stand for, ascending. */
export const CURVE = Int8Array.of(-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113);

/** Number i is in the low half of byte i, number i + 16 in its high half. */
const q4_0: Dequantize = (bytes, b, out, o) => {
  const d = half(bytes, b);
  for (let i = 0; i < 16; i++) {
    const q = bytes[b + 2 + i];
    out[o + i] = ((q & 15) - 8) * d;
    out[o + i + 16] = ((q >> 4) - 8) * d;
  }
};

const q4_1: Dequantize = (bytes, b, out, o) => {
  const d = half(bytes, b);
  const m = half(bytes, b + 2);
  for (let i = 0; i < 16; i++) {
    const q = bytes[b + 4 + i];
    out[o + i] = fround((q & 15) * d) + m;
    out[o + i + 16] = fround((q >> 4) * d) + m;
  }
};

const u32 = (bytes: Uint8Array, at: number): number => u16(bytes, at) | (u16(bytes, at + 2) << 16);

/** The fifth bits are 32 bits of their own. */
const q5_0: Dequantize = (bytes, b, out, o) => {
  const d = half(bytes, b);
  const high = u32(bytes, b + 2);
  for (let i = 0; i < 16; i++) {
    const q = bytes[b + 6 + i];
    out[o + i] = (((q & 15) | (((high >>> i) & 1) << 4)) - 16) * d;
    out[o + i + 16] = (((q >> 4) | (((high >>> (i + 16)) & 1) << 4)) - 16) * d;
  }
};

const q5_1: Dequantize = (bytes, b, out, o) => {
  const d = half(bytes, b);
  const m = half(bytes, b + 2);
  const high = u32(bytes, b + 4);
  for (let i = 0; i < 16; i++) {
    const q = bytes[b + 8 + i];
    out[o + i] = fround(((q & 15) | (((high >>> i) & 1) << 4)) * d) + m;
    out[o + i + 16] = fround(((q >> 4) | (((high >>> (i + 16)) & 1) << 4)) * d) + m;
  }
};

const q8_0: Dequantize = (bytes, b, out, o) => {
  const d = half(bytes, b);
  for (let i = 0; i < 32; i++) out[o + i] = signed(bytes[b + 2 + i]) * d;
};

const iq4_nl: Dequantize = (bytes, b, out, o) => {
  const d = half(bytes, b);
  for (let i = 0; i < 16; i++) {
    const q = bytes[b + 2 + i];
    out[o + i] = d * CURVE[q & 15];
    out[o + i + 16] = d * CURVE[q >> 4];
  }
};

/** Sixteen parts of 16 numbers: a scale and a minimum of four bits each. Two bits of four parts share a byte. */
const q2_k: Dequantize = (bytes, b, out, o) => {
  const d = half(bytes, b + 80);
  const min = half(bytes, b + 82);
  for (let part = 0; part < 16; part++) {
    const scale = bytes[b + part];
    const dl = fround(d * (scale & 15));
    const ml = fround(min * (scale >> 4));
    const shift = 2 * ((part >> 1) & 3);
    const from = b + 16 + 32 * (part >> 3) + 16 * (part & 1);
    for (let i = 0; i < 16; i++) out[o + 16 * part + i] = fround(dl * ((bytes[from + i] >> shift) & 3)) - ml;
  }
};

/** Sixteen parts with a scale of six bits. A bit of `hmask` says whether 4 is subtracted. */
const q3_k: Dequantize = (bytes, b, out, o) => {
  const d = half(bytes, b + 108);
  const scales = b + 96;
  for (let part = 0; part < 16; part++) {
    const low = part < 8 ? bytes[scales + part] & 15 : bytes[scales + part - 8] >> 4;
    const high = (bytes[scales + 8 + (part & 3)] >> (2 * (part >> 2))) & 3;
    const dl = fround(d * ((low | (high << 4)) - 32));
    const [n, j] = [part >> 3, (part >> 1) & 3];
    const inside = 16 * (part & 1);
    for (let i = inside; i < inside + 16; i++) {
      const two = (bytes[b + 32 + 32 * n + i] >> (2 * j)) & 3;
      const less = (bytes[b + i] >> (4 * n + j)) & 1 ? 0 : 4;
      out[o + 16 * part + i - inside] = dl * (two - less);
    }
  }
};

/** Scale and minimum of part j of eight, six bits each, as Q4_K and Q5_K pack them into twelve bytes at `s`. */
const scaleOf = (bytes: Uint8Array, s: number, j: number): number =>
  j < 4 ? bytes[s + j] & 63 : (bytes[s + j + 4] & 15) | ((bytes[s + j - 4] >> 6) << 4);
const minimumOf = (bytes: Uint8Array, s: number, j: number): number =>
  j < 4 ? bytes[s + j + 4] & 63 : (bytes[s + j + 4] >> 4) | ((bytes[s + j] >> 6) << 4);

const q4_k: Dequantize = (bytes, b, out, o) => {
  const d = half(bytes, b);
  const min = half(bytes, b + 2);
  for (let j = 0; j < 8; j++) {
    const dl = fround(d * scaleOf(bytes, b + 4, j));
    const ml = fround(min * minimumOf(bytes, b + 4, j));
    const from = b + 16 + 32 * (j >> 1);
    const shift = 4 * (j & 1);
    for (let i = 0; i < 32; i++) out[o + 32 * j + i] = fround(dl * ((bytes[from + i] >> shift) & 15)) - ml;
  }
};

const q5_k: Dequantize = (bytes, b, out, o) => {
  const d = half(bytes, b);
  const min = half(bytes, b + 2);
  for (let j = 0; j < 8; j++) {
    const dl = fround(d * scaleOf(bytes, b + 4, j));
    const ml = fround(min * minimumOf(bytes, b + 4, j));
    const from = b + 48 + 32 * (j >> 1);
    const shift = 4 * (j & 1);
    for (let i = 0; i < 32; i++) {
      const q = ((bytes[from + i] >> shift) & 15) | (((bytes[b + 16 + i] >> j) & 1) << 4);
      out[o + 32 * j + i] = fround(dl * q) - ml;
    }
  }
};

/** Sixteen parts with a scale of eight bits; four bits of a number are in `ql`, two in `qh`. */
const q6_k: Dequantize = (bytes, b, out, o) => {
  const d = half(bytes, b + 208);
  for (let part = 0; part < 16; part++) {
    const dl = fround(d * signed(bytes[b + 192 + part]));
    const [n, j] = [part >> 3, (part >> 1) & 3];
    const inside = 16 * (part & 1);
    const low = b + 64 * n + 32 * (j & 1) + inside;
    const high = b + 128 + 32 * n + inside;
    for (let i = 0; i < 16; i++) {
      const q = ((bytes[low + i] >> (4 * (j >> 1))) & 15) | (((bytes[high + i] >> (2 * j)) & 3) << 4);
      out[o + 16 * part + i] = dl * (q - 32);
    }
  }
};

/** IQ4_NL with eight parts, whose scales have six bits. */
const iq4_xs: Dequantize = (bytes, b, out, o) => {
  const d = half(bytes, b);
  const high = u16(bytes, b + 2);
  for (let j = 0; j < 8; j++) {
    const scale = ((bytes[b + 4 + (j >> 1)] >> (4 * (j & 1))) & 15) | (((high >> (2 * j)) & 3) << 4);
    const dl = fround(d * (scale - 32));
    for (let i = 0; i < 16; i++) {
      const q = bytes[b + 8 + 16 * j + i];
      out[o + 32 * j + i] = dl * CURVE[q & 15];
      out[o + 32 * j + i + 16] = dl * CURVE[q >> 4];
    }
  }
};

const DEQUANTIZE: Readonly<Record<BlockType, Dequantize>> = {
  Q4_0: q4_0,
  Q4_1: q4_1,
  Q5_0: q5_0,
  Q5_1: q5_1,
  Q8_0: q8_0,
  IQ4_NL: iq4_nl,
  Q2_K: q2_k,
  Q3_K: q3_k,
  Q4_K: q4_k,
  Q5_K: q5_k,
  Q6_K: q6_k,
  IQ4_XS: iq4_xs,
};
