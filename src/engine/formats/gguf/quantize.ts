/**
 * Quantizes float32 numbers as ggml's reference does, bit for bit. In the simple types 32 neighbours share a scale in float16, in some
 * a minimum too; K-quants are in k-quants/. Every step is rounded to float32, and numbers are divided by the scale before that is rounded.
 * Where the columns of a matrix have an importance, the scales of simple types are found by the searches of K-quants.
 */
import { halfBits } from '../narrow';
import { CURVE } from './dequantize';
import { byImportance, IMPORTANT, meanSquare } from './k-quants/importance';
import { K_BLOCK, K_TYPES, type KDtype, quantizeK } from './k-quants/quantize';
import { fitAllAbove, fitAllAround, ownLanes, roomFor } from './k-quants/searches';
import { fitCurve } from './curve-fit';
import { bytesOfElements } from './types';

/** Elements of a block of the simple types. */
const BLOCK_ELEMENTS = 32;

/** Made without a search, as long as columns have no importance. */
export const SIMPLE_TYPES = ['Q8_0', 'Q4_0', 'Q4_1', 'Q5_0', 'Q5_1'] as const;

/** The types that Coppice makes; llama.cpp has more. */
export const QUANTIZED_TYPES = [...SIMPLE_TYPES, 'IQ4_NL', ...K_TYPES] as const;

export type QuantizedDtype = (typeof QUANTIZED_TYPES)[number];

const NAMES: ReadonlySet<string> = new Set(QUANTIZED_TYPES);

export const isQuantized = (dtype: string): dtype is QuantizedDtype => NAMES.has(dtype);

/** It has blocks of 256. */
export const isKQuant = (dtype: string): dtype is KDtype => K_TYPES.some((each) => each === dtype);

/** Its scales are found by a search, whether columns have an importance or not. */
export const isSearched = (dtype: string): dtype is QuantizedDtype =>
  isQuantized(dtype) && !SIMPLE_TYPES.some((simple) => simple === dtype);

/** Elements of a block. A row is a whole number of blocks. */
export const blockElements = (dtype: QuantizedDtype): number => (isKQuant(dtype) ? K_BLOCK : BLOCK_ELEMENTS);

/** The smallest magnitude that float16 rounds to infinity. */
const HALF_OVERFLOW = 65520;

/** Numbers of this magnitude may have no finite scale. A search may go beyond the range of its numbers, so half counts. */
export const QUANTIZED_LIMIT: Readonly<Record<QuantizedDtype, number>> = {
  Q8_0: 127 * HALF_OVERFLOW,
  Q4_0: 8 * HALF_OVERFLOW,
  Q5_0: 16 * HALF_OVERFLOW,
  Q4_1: HALF_OVERFLOW,
  Q5_1: HALF_OVERFLOW,
  IQ4_NL: (127 * HALF_OVERFLOW) / 2,
  Q2_K: (15 * HALF_OVERFLOW) / 2,
  Q3_K: (32 * HALF_OVERFLOW) / 2,
  Q4_K: (63 * HALF_OVERFLOW) / 2,
  Q5_K: (63 * HALF_OVERFLOW) / 2,
  Q6_K: (128 * HALF_OVERFLOW) / 2,
};

const { fround, abs, min } = Math;

/**
 * Writes `values`, whole blocks of finite numbers, into `into`.
 * @param importance of the columns of a row, where they have one: `values` are whole rows then, and no number is negative or infinite
 * @returns `into`: `bytesOfElements` for these numbers
 */
export function quantize(
  values: Float32Array,
  dtype: QuantizedDtype,
  into: Uint8Array,
  importance?: Float32Array,
): Uint8Array {
  const bytes = bytesOfElements(dtype, values.length);
  if (values.length % blockElements(dtype) !== 0 || into.length !== bytes) {
    throw new Error(`${values.length} numbers are not ${into.length} bytes of ${dtype}`);
  }
  if (importance && values.length % importance.length !== 0) {
    throw new Error(`${values.length} numbers are not rows of ${importance.length}`);
  }
  if (isKQuant(dtype)) return quantizeK(values, dtype, into, { importance });
  if (dtype === 'Q8_0') return wholeBytes(values, into);
  if (dtype === 'IQ4_NL') return onCurve(values, into, importance);
  const form = FORMS[dtype];
  if (importance) return searched(values, into, form, importance);
  return form.hasMinimum ? fromMinimum(values, into, form.bits) : centred(values, into, form.bits);
}

/** A type whose levels of few bits begin at a minimum of their own, or lie around zero. */
interface Form {
  readonly bits: 4 | 5;
  readonly hasMinimum: boolean;
}

const FORMS: Readonly<Record<'Q4_0' | 'Q4_1' | 'Q5_0' | 'Q5_1', Form>> = {
  Q4_0: { bits: 4, hasMinimum: false },
  Q4_1: { bits: 4, hasMinimum: true },
  Q5_0: { bits: 5, hasMinimum: false },
  Q5_1: { bits: 5, hasMinimum: true },
};

/** The same types where columns have an importance: row after row, all parts of a row at once. */
function searched(
  values: Float32Array,
  into: Uint8Array,
  { bits, hasMinimum }: Form,
  importance: Float32Array,
): Uint8Array {
  const width = importance.length;
  const found = roomFor(width);
  let out = 0;
  for (let start = 0; start < values.length; start += width) {
    const row = { values: values.subarray(start, start + width), size: 32 } as const;
    const weigh = byImportance(row.values, importance, 32, meanSquare(row.values));
    if (hasMinimum) fitAllAbove(row, { most: 2 ** bits - 1, steps: IMPORTANT }, weigh, found, ownLanes());
    else fitAllAround(row, 2 ** (bits - 1), weigh, found, ownLanes());
    for (let n = 0; n < width / BLOCK_ELEMENTS; n++) {
      out = putHalf(into, out, found.scales[n]);
      if (hasMinimum) out = putHalf(into, out, -found.minimums[n]);
      out = pack(found.levels.subarray(n * BLOCK_ELEMENTS, (n + 1) * BLOCK_ELEMENTS), bits, into, out);
    }
  }
  return into;
}

/** IQ4_NL: multiples of the scale that lie nearer to each other around zero. */
function onCurve(values: Float32Array, into: Uint8Array, importance: Float32Array | undefined): Uint8Array {
  const levels = new Uint8Array(BLOCK_ELEMENTS);
  let out = 0;
  for (let at = 0; at < values.length; at += BLOCK_ELEMENTS) {
    const column = importance ? at % importance.length : 0;
    const scale = fitCurve(
      values.subarray(at, at + BLOCK_ELEMENTS),
      CURVE,
      importance?.subarray(column, column + BLOCK_ELEMENTS),
      levels,
    );
    out = pack(levels, 4, into, putHalf(into, out, scale));
  }
  return into;
}

/** The divisor as a factor. A block of zeros has none. */
const inverse = (scale: number): number => (scale === 0 ? 0 : fround(1 / scale));

/** Q8_0: −127 … 127 times the scale, halves rounded away from zero. */
function wholeBytes(values: Float32Array, into: Uint8Array): Uint8Array {
  let out = 0;
  for (let at = 0; at < values.length; at += BLOCK_ELEMENTS) {
    let largest = 0;
    for (let i = at; i < at + BLOCK_ELEMENTS; i++) {
      const size = abs(values[i]);
      if (size > largest) largest = size;
    }
    const scale = fround(largest / 127);
    const factor = inverse(scale);
    out = putHalf(into, out, scale);
    for (let i = at; i < at + BLOCK_ELEMENTS; i++) {
      const scaled = fround(values[i] * factor);
      into[out++] = scaled < 0 ? -((0.5 - scaled) | 0) : (scaled + 0.5) | 0;
    }
  }
  return into;
}

/** Q4_0, Q5_0: the largest magnitude, with its sign, is the lowest number. */
function centred(values: Float32Array, into: Uint8Array, bits: 4 | 5): Uint8Array {
  const lowest = 2 ** (bits - 1);
  const highest = 2 ** bits - 1;
  const upwards = lowest + 0.5;
  const quants = new Uint8Array(BLOCK_ELEMENTS);
  let out = 0;
  for (let at = 0; at < values.length; at += BLOCK_ELEMENTS) {
    let size = 0;
    let largest = 0;
    for (let i = at; i < at + BLOCK_ELEMENTS; i++) {
      if (abs(values[i]) <= size) continue;
      largest = values[i];
      size = abs(largest);
    }
    const scale = fround(largest / -lowest);
    const factor = inverse(scale);
    for (let i = 0; i < BLOCK_ELEMENTS; i++) {
      quants[i] = min(highest, fround(fround(values[at + i] * factor) + upwards) | 0);
    }
    out = pack(quants, bits, into, putHalf(into, out, scale));
  }
  return into;
}

/** Q4_1, Q5_1: multiples of the scale above the minimum. */
function fromMinimum(values: Float32Array, into: Uint8Array, bits: 4 | 5): Uint8Array {
  const highest = 2 ** bits - 1;
  const quants = new Uint8Array(BLOCK_ELEMENTS);
  let out = 0;
  for (let at = 0; at < values.length; at += BLOCK_ELEMENTS) {
    let least = values[at];
    let most = values[at];
    for (let i = at + 1; i < at + BLOCK_ELEMENTS; i++) {
      if (values[i] < least) least = values[i];
      if (values[i] > most) most = values[i];
    }
    const scale = fround(fround(most - least) / highest);
    const factor = inverse(scale);
    for (let i = 0; i < BLOCK_ELEMENTS; i++) {
      quants[i] = min(highest, fround(fround(fround(values[at + i] - least) * factor) + 0.5) | 0);
    }
    out = pack(quants, bits, into, putHalf(into, putHalf(into, out, scale), least));
  }
  return into;
}

/** Two neighbours 16 apart share a byte. Fifth bits come before them. @returns the position after the block */
function pack(quants: Uint8Array | Int8Array, bits: 4 | 5, into: Uint8Array, out: number): number {
  const half = BLOCK_ELEMENTS / 2;
  let at = out;
  if (bits === 5) {
    let fifths = 0;
    for (let i = 0; i < BLOCK_ELEMENTS; i++) fifths |= (quants[i] >>> 4) << i;
    for (let byte = 0; byte < 4; byte++) into[at++] = fifths >>> (8 * byte);
  }
  for (let i = 0; i < half; i++) into[at++] = (quants[i] & 15) | ((quants[i + half] & 15) << 4);
  return at;
}

function putHalf(into: Uint8Array, at: number, value: number): number {
  const half = halfBits(value);
  into[at] = half;
  into[at + 1] = half >>> 8;
  return at + 2;
}
