/**
 * Quantizes to ggml's K-quants, bit for bit as its reference does: 256 numbers are a block, whose parts of 16 or 32 have scales of few
 * bits, in some types minimums too. The scales of the parts are multiples of one in float16 (fits.ts finds them), and the levels are
 * those that suit the scale as it is stored. With the importance of the columns, errors weigh by it, and the scales of the parts are
 * found by a search of their own.
 */
import { halfBits } from '../../narrow';
import { halfToFloat } from '../../widen';
import { fitAroundZero, fitByTurns, fitPositive, nearest, NOTHING, type Part, type Steps } from './fits';
import { byImportance, IMPORTANT, meanSquare } from './importance';
import type { Lanes } from './lanes';
import { fitAllAbove, fitAllAround, ownLanes, roomFor, type Weigh } from './searches';

/** Numbers of a block. */
export const K_BLOCK = 256;

export const K_TYPES = ['Q2_K', 'Q3_K', 'Q4_K', 'Q5_K', 'Q6_K'] as const;

export type KDtype = (typeof K_TYPES)[number];

const { fround: f, abs, max, min, sqrt } = Math;

export interface KOptions {
  /** Of the columns of a row; every number is at least 0. All columns alike where it is undefined. */
  readonly importance?: Float32Array;
  /** Null to fit one part after another, which gives the same bytes. */
  readonly lanes?: Lanes | null;
}

/**
 * Quantizes `values`, whole blocks of finite numbers; whole rows where columns have an importance.
 * @param into as many bytes as the type has for them
 */
export function quantizeK(
  values: Float32Array,
  dtype: KDtype,
  into: Uint8Array,
  { importance, lanes = ownLanes() }: KOptions = {},
): Uint8Array {
  const bytes = (into.length * K_BLOCK) / values.length;
  const block = BLOCKS[dtype];
  for (let at = 0, out = 0; at < values.length; at += K_BLOCK, out += bytes) {
    const column = importance ? at % importance.length : 0;
    block(
      {
        values: values.subarray(at, at + K_BLOCK),
        importance: importance?.subarray(column, column + K_BLOCK) ?? null,
        lanes,
      },
      into.subarray(out, out + bytes),
    );
  }
  return into;
}

/** A block of numbers, and the importance of its columns. */
interface Block {
  readonly values: Float32Array;
  readonly importance: Float32Array | null;
  readonly lanes: Lanes | null;
}

/** Room for one block; nothing of it outlives a call. */
const found = roomFor(K_BLOCK);
const { levels, scales, minimums } = found;
/** Of the parts: the sums of their weights, and the multiples that their scales and minimums are. */
const partWeights = new Float32Array(K_BLOCK / 16);
const ownScales = new Uint8Array(K_BLOCK / 16);
const ownMinimums = new Uint8Array(K_BLOCK / 16);
const signedScales = new Int8Array(K_BLOCK / 16);

/** Types with minimums: their parts, highest level, and the search. */
interface Offset {
  readonly size: 16 | 32;
  readonly most: number;
  /** Of a part's scale and minimum. */
  readonly highest: number;
  readonly steps: Steps;
  /** The mean square of a block counts so often in the weights of important columns. */
  readonly times: 1 | 2;
}

const TENTH = f(0.1);
const TWO_BITS: Offset = {
  ...{ size: 16, most: 3, highest: 15, times: 1 },
  steps: { first: -0.5, step: TENTH, last: 15, byMagnitude: true },
};
const FOUR_BITS: Offset = {
  ...{ size: 32, most: 15, highest: 63, times: 2 },
  steps: { first: -1, step: TENTH, last: 20, byMagnitude: false },
};
const FIVE_BITS: Offset = {
  ...{ size: 32, most: 31, highest: 63, times: 2 },
  steps: { first: -0.5, step: TENTH, last: 15, byMagnitude: false },
};

/** Fits every part. Afterwards `scales` and `minimums` have them, `levels` the levels, and `own…` the multiples. @returns both factors */
function fitParts(block: Block, { size, most, highest, steps, times }: Offset): { scale: number; minimum: number } {
  const { values, importance, lanes } = block;
  const parts = K_BLOCK / size;
  if (!importance) {
    fitAllAbove({ values, size }, { most, steps }, (at, weights) => weigh(values, at, size, weights), found, lanes);
    return {
      scale: multiples(scales, parts, highest, ownScales),
      minimum: multiples(minimums, parts, highest, ownMinimums),
    };
  }
  const byColumn = byImportance(values, importance, size, f(times * meanSquare(values)));
  fitAllAbove({ values, size }, { most, steps: IMPORTANT }, summing(size, byColumn), found, lanes);
  return {
    scale: fitPositive(scales, parts, highest, partWeights, ownScales),
    minimum: fitPositive(minimums, parts, highest, partWeights, ownMinimums),
  };
}

/** The same weights, whose sums are kept in `partWeights`. */
const summing =
  (size: 16 | 32, weigh: Weigh): Weigh =>
  (at, weights) => {
    weigh(at, weights);
    let sum = 0;
    for (let i = 0; i < size; i++) sum = f(sum + weights[i]);
    partWeights[at / size] = sum;
  };

/** What the scales of parts are in multiples of the largest one's share. @returns this share */
function multiples(of: Float32Array, parts: number, highest: number, into: Uint8Array): number {
  let largest = 0;
  for (let n = 0; n < parts; n++) largest = max(largest, of[n]);
  const factor = largest > 0 ? f(highest / largest) : 0;
  for (let n = 0; n < parts; n++) into[n] = min(highest, nearest(f(factor * of[n])) & 255);
  return f(largest / highest);
}

/** A number of a part of 16 weighs its magnitude, one of a part of 32 that and the part's root mean square. */
function weigh(values: Float32Array, at: number, size: 16 | 32, weights: Float32Array): void {
  let squares = 0;
  if (size === 32) for (let i = at; i < at + size; i++) squares = f(squares + f(values[i] * values[i]));
  const typical = f(sqrt(f(squares / 32)));
  for (let i = 0; i < size; i++) weights[i] = f(typical + abs(values[at + i]));
}

/** The levels for a scale and a minimum as they are stored; those of the search where the scale is zero. */
function levelsAbove(values: Float32Array, at: number, { size, most }: Offset, scale: number, minimum: number): void {
  if (scale === 0) return;
  for (let i = at; i < at + size; i++) levels[i] = max(0, min(most, nearest(f(f(values[i] + minimum) / scale))));
}

/** Q2_K: scales and minimums of 16 parts in a byte each, levels of two bits, then both factors. */
function q2k(block: Block, into: Uint8Array): void {
  const { size } = TWO_BITS;
  const factors = fitParts(block, TWO_BITS);
  const scale = putHalf(into, 80, factors.scale);
  const minimum = putHalf(into, 82, factors.minimum);
  for (let n = 0; n < K_BLOCK / size; n++) {
    into[n] = ownScales[n] | (ownMinimums[n] << 4);
    levelsAbove(block.values, n * size, TWO_BITS, f(scale * ownScales[n]), f(minimum * ownMinimums[n]));
  }
  putTwoBits(into, 16);
}

/** Q4_K and Q5_K: both factors, six bits each of eight scales and minimums, then levels. @returns the place behind that */
function packed(block: Block, into: Uint8Array, type: Offset): number {
  const { size } = type;
  const factors = fitParts(block, type);
  const scale = putHalf(into, 0, factors.scale);
  const minimum = putHalf(into, 2, factors.minimum);
  const at = 4;
  for (let n = 0; n < K_BLOCK / size; n++) {
    const [own, ownMinimum] = [ownScales[n], ownMinimums[n]];
    if (n < 4) {
      into[at + n] = own;
      into[at + n + 4] = ownMinimum;
    } else {
      into[at + n + 4] = (own & 15) | ((ownMinimum & 15) << 4);
      into[at + n - 4] |= (own >> 4) << 6;
      into[at + n] |= (ownMinimum >> 4) << 6;
    }
    levelsAbove(block.values, n * size, type, f(scale * own), f(minimum * ownMinimum));
  }
  return at + 12;
}

/** Q4_K: neighbours 32 apart share a byte. */
function q4k(block: Block, into: Uint8Array): void {
  putPairs(into, packed(block, into, FOUR_BITS));
}

/** Q5_K: fifth bits come before the others, those of eight parts in a byte. */
function q5k(block: Block, into: Uint8Array): void {
  const at = packed(block, into, FIVE_BITS);
  for (let i = 0; i < 32; i++) {
    let fifths = 0;
    for (let part = 0; part < 8; part++) fifths |= (levels[32 * part + i] >> 4) << part;
    into[at + i] = fifths;
  }
  putPairs(into, at + 32);
}

function putPairs(into: Uint8Array, at: number): void {
  let out = at;
  for (let n = 0; n < K_BLOCK; n += 64) {
    for (let i = n; i < n + 32; i++) into[out++] = (levels[i] & 15) | ((levels[i + 32] & 15) << 4);
  }
}

/** The levels for a scale as it is stored, from −half; those of the search where the scale is zero. */
function levelsAround(values: Float32Array, at: number, half: number, scale: number): void {
  if (scale === 0) return;
  for (let i = at; i < at + 16; i++) {
    levels[i] = half + max(-half, min(half - 1, nearest(f(values[i] / scale))));
  }
}

/** The scale of largest magnitude, with its sign; the first one wins. */
function largestScale(): number {
  let largest = 0;
  for (let n = 0; n < 16; n++) if (abs(scales[n]) > abs(largest)) largest = scales[n];
  return largest;
}

/** Fits the parts of Q3_K, and finds the multiples 0 … 63 of their scales, where 32 stands for zero. @returns the factor */
function fitThreeBits({ values, importance, lanes }: Block): number {
  if (importance) {
    const byColumn = byImportance(values, importance, 16, f(2 * meanSquare(values)));
    fitAllAround({ values, size: 16 }, 4, summing(16, byColumn), found, lanes);
    return fitAroundZero({ values: scales, levels: signedScales, at: 0 }, 16, 32, partWeights);
  }
  const part: Part = { values, levels, at: 0 };
  for (let n = 0; n < 16; n++) {
    part.at = 16 * n;
    scales[n] = fitByTurns(part, 16, 4);
  }
  const largest = largestScale();
  if (largest === 0) {
    signedScales.fill(0);
    return 0;
  }
  const divisor = f(-32 / largest);
  for (let n = 0; n < 16; n++) signedScales[n] = max(-32, min(31, nearest(f(divisor * scales[n])))) + 32;
  return f(1 / divisor);
}

/** Q3_K: third bits, levels of two bits, six bits of 16 scales, and the factor. */
function q3k(block: Block, into: Uint8Array): void {
  const scale = putHalf(into, 108, fitThreeBits(block));
  into.fill(0, 0, 32);
  into.fill(0, 96, 108);
  for (let n = 0; n < 16; n++) {
    const own = signedScales[n];
    into[96 + (n & 7)] |= (own & 15) << (n < 8 ? 0 : 4);
    into[104 + (n & 3)] |= (own >> 4) << (2 * (n >> 2));
    levelsAround(block.values, 16 * n, 4, f(scale * (own - 32)));
  }
  for (let i = 0; i < K_BLOCK; i++) {
    if (levels[i] > 3) into[i & 31] |= 1 << (i >> 5);
    levels[i] &= 3;
  }
  putTwoBits(into, 32);
}

/** Q6_K: low and high bits of the levels, 16 scales of a byte, and the factor. Errors weigh by the importance alone. */
function q6k({ values, importance, lanes }: Block, into: Uint8Array): void {
  const byColumn: Weigh | null = importance && ((at, weights) => weights.set(importance.subarray(at, at + 16)));
  fitAllAround({ values, size: 16 }, 32, byColumn, found, lanes);
  const largest = largestScale();
  if (abs(largest) < NOTHING) {
    into.fill(0);
    return;
  }
  const divisor = f(-128 / largest);
  const scale = putHalf(into, 208, f(1 / divisor));
  for (let n = 0; n < 16; n++) {
    const own = min(127, nearest(f(divisor * scales[n])));
    into[192 + n] = own;
    levelsAround(values, 16 * n, 32, f(scale * own));
  }
  for (let half = 0; half < 2; half++) {
    for (let i = 0; i < 32; i++) {
      const at = 128 * half + i;
      const [a, b, c, d] = [levels[at], levels[at + 32], levels[at + 64], levels[at + 96]];
      into[64 * half + i] = (a & 15) | ((c & 15) << 4);
      into[64 * half + 32 + i] = (b & 15) | ((d & 15) << 4);
      into[128 + 32 * half + i] = (a >> 4) | ((b >> 4) << 2) | ((c >> 4) << 4) | ((d >> 4) << 6);
    }
  }
}

/** Four numbers that are 32 apart share a byte. */
function putTwoBits(into: Uint8Array, at: number): void {
  for (let half = 0; half < 2; half++) {
    for (let i = 0; i < 32; i++) {
      const n = 128 * half + i;
      into[at + 32 * half + i] = levels[n] | (levels[n + 32] << 2) | (levels[n + 64] << 4) | (levels[n + 96] << 6);
    }
  }
}

/** @returns the number as it is stored */
function putHalf(into: Uint8Array, at: number, value: number): number {
  const half = halfBits(value);
  into[at] = half;
  into[at + 1] = half >>> 8;
  return halfToFloat(half);
}

const BLOCKS: Readonly<Record<KDtype, (block: Block, into: Uint8Array) => void>> = {
  Q2_K: q2k,
  Q3_K: q3k,
  Q4_K: q4k,
  Q5_K: q5k,
  Q6_K: q6k,
};
