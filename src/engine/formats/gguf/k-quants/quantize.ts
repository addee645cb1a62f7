/**
 * Quantizes to ggml's K-quants, bit for bit as its reference does: 256 numbers are a block, whose parts of 16 or 32 have scales of few
 * bits, in some types minimums too. The scales of the parts are multiples of one in float16 (fits.ts finds them), and the levels are
 * those that suit the scale as it is stored.
 */
import { halfBits } from '../../narrow';
import { halfToFloat } from '../../widen';
import {
  fitAboveMinimum,
  fitAroundZero,
  fitByTurns,
  nearest,
  NOTHING,
  type OffsetFit,
  type Part,
  type Steps,
} from './fits';
import { LANES, Lanes } from './lanes';

/** Numbers of a block. */
export const K_BLOCK = 256;

export const K_TYPES = ['Q2_K', 'Q3_K', 'Q4_K', 'Q5_K', 'Q6_K'] as const;

export type KDtype = (typeof K_TYPES)[number];

const { fround: f, abs, max, min, sqrt } = Math;

/** Opened when it is first needed; null where the machine has no vectors. */
let vectors: Lanes | null | undefined;

/**
 * Quantizes `values`, whole blocks of finite numbers.
 * @param into as many bytes as the type has for them
 * @param lanes null to fit one part after another, which gives the same bytes
 */
export function quantizeK(
  values: Float32Array,
  dtype: KDtype,
  into: Uint8Array,
  lanes: Lanes | null = (vectors ??= Lanes.open() ?? null),
): Uint8Array {
  const bytes = (into.length * K_BLOCK) / values.length;
  for (let at = 0, out = 0; at < values.length; at += K_BLOCK, out += bytes) {
    BLOCKS[dtype](values.subarray(at, at + K_BLOCK), into.subarray(out, out + bytes), lanes);
  }
  return into;
}

/** Room for one block; nothing of it outlives a call. */
const levels = new Uint8Array(K_BLOCK);
const signedLevels = new Int8Array(K_BLOCK);
const scales = new Float32Array(K_BLOCK / 16);
const minimums = new Float32Array(K_BLOCK / 16);
const weights = new Float32Array(32);
const tried = new Uint8Array(32);
const fit: OffsetFit = { scale: 0, minimum: 0 };

/** Types with minimums: their parts, highest level, and the search. */
interface Offset {
  readonly size: 16 | 32;
  readonly most: number;
  /** Of a part's scale and minimum. */
  readonly highest: number;
  readonly steps: Steps;
}

const TENTH = f(0.1);
const TWO_BITS: Offset = {
  ...{ size: 16, most: 3, highest: 15 },
  steps: { first: -0.5, step: TENTH, last: 15, byMagnitude: true },
};
const FOUR_BITS: Offset = {
  ...{ size: 32, most: 15, highest: 63 },
  steps: { first: -1, step: TENTH, last: 20, byMagnitude: false },
};
const FIVE_BITS: Offset = {
  ...{ size: 32, most: 31, highest: 63 },
  steps: { first: -0.5, step: TENTH, last: 15, byMagnitude: false },
};

/** Fits every part. Afterwards `scales` and `minimums` have them, and `levels` the levels. */
function fitInTurn(values: Float32Array, { size, most, steps }: Offset): void {
  const part: Part = { values, levels, at: 0 };
  for (let at = 0, n = 0; at < K_BLOCK; at += size, n++) {
    weigh(values, at, size);
    part.at = at;
    fitAboveMinimum(part, size, most, weights, steps, tried, fit);
    scales[n] = fit.scale;
    minimums[n] = fit.minimum;
  }
}

/** The same, four parts at once. */
function fitTogether(values: Float32Array, { size, most, steps }: Offset, lanes: Lanes): void {
  for (let n = 0; n < K_BLOCK / size; n += LANES) {
    for (let part = 0; part < LANES; part++) {
      const at = (n + part) * size;
      weigh(values, at, size);
      for (let i = 0; i < size; i++) {
        lanes.put(part, i, values[at + i]);
        lanes.weigh(part, i, weights[i]);
      }
    }
    lanes.fitAboveMinimum(size, most, steps);
    for (let part = 0; part < LANES; part++) {
      scales[n + part] = lanes.scale(part);
      minimums[n + part] = lanes.minimum(part);
      for (let i = 0; i < size; i++) levels[(n + part) * size + i] = lanes.level(part, i);
    }
  }
}

/** @returns the largest scale and minimum of all parts */
function fitParts(
  values: Float32Array,
  type: Offset,
  lanes: Lanes | null,
): { readonly scale: number; readonly minimum: number } {
  if (lanes) fitTogether(values, type, lanes);
  else fitInTurn(values, type);
  let [scale, minimum] = [0, 0];
  for (let n = 0; n < K_BLOCK / type.size; n++) {
    scale = max(scale, scales[n]);
    minimum = max(minimum, minimums[n]);
  }
  return { scale, minimum };
}

/** A number of a part of 16 weighs its magnitude, one of a part of 32 that and the part's root mean square. */
function weigh(values: Float32Array, at: number, size: 16 | 32): void {
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

const factor = (highest: number, largest: number): number => (largest > 0 ? f(highest / largest) : 0);

/** Q2_K: scales and minimums of 16 parts in a byte each, levels of two bits, then both factors. */
function q2k(values: Float32Array, into: Uint8Array, lanes: Lanes | null): void {
  const { highest, size } = TWO_BITS;
  const largest = fitParts(values, TWO_BITS, lanes);
  const [byScale, byMinimum] = [factor(highest, largest.scale), factor(highest, largest.minimum)];
  const scale = putHalf(into, 80, f(largest.scale / highest));
  const minimum = putHalf(into, 82, f(largest.minimum / highest));
  for (let n = 0; n < K_BLOCK / size; n++) {
    const [own, ownMinimum] = [nearest(f(byScale * scales[n])), nearest(f(byMinimum * minimums[n]))];
    into[n] = own | (ownMinimum << 4);
    levelsAbove(values, n * size, TWO_BITS, f(scale * own), f(minimum * ownMinimum));
  }
  putTwoBits(levels, into, 16);
}

/** Q4_K and Q5_K: both factors, six bits each of eight scales and minimums, then levels. @returns the place behind that */
function packed(values: Float32Array, into: Uint8Array, type: Offset, lanes: Lanes | null): number {
  const { highest, size } = type;
  const largest = fitParts(values, type, lanes);
  const [byScale, byMinimum] = [factor(highest, largest.scale), factor(highest, largest.minimum)];
  const scale = putHalf(into, 0, f(largest.scale / highest));
  const minimum = putHalf(into, 2, f(largest.minimum / highest));
  const at = 4;
  for (let n = 0; n < K_BLOCK / size; n++) {
    const own = min(highest, nearest(f(byScale * scales[n])) & 255);
    const ownMinimum = min(highest, nearest(f(byMinimum * minimums[n])) & 255);
    if (n < 4) {
      into[at + n] = own;
      into[at + n + 4] = ownMinimum;
    } else {
      into[at + n + 4] = (own & 15) | ((ownMinimum & 15) << 4);
      into[at + n - 4] |= (own >> 4) << 6;
      into[at + n] |= (ownMinimum >> 4) << 6;
    }
    levelsAbove(values, n * size, type, f(scale * own), f(minimum * ownMinimum));
  }
  return at + 12;
}

/** Q4_K: neighbours 32 apart share a byte. */
function q4k(values: Float32Array, into: Uint8Array, lanes: Lanes | null): void {
  putPairs(into, packed(values, into, FOUR_BITS, lanes));
}

/** Q5_K: fifth bits come before the others, those of eight parts in a byte. */
function q5k(values: Float32Array, into: Uint8Array, lanes: Lanes | null): void {
  const at = packed(values, into, FIVE_BITS, lanes);
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
    signedLevels[i] = half + max(-half, min(half - 1, nearest(f(values[i] / scale))));
  }
}

/** Fits 16 parts without minimums. Afterwards `scales` and `signedLevels` have them. */
function fitSigned(values: Float32Array, half: number, search: typeof fitAroundZero): void {
  const part: Part = { values, levels: signedLevels, at: 0 };
  for (let n = 0; n < 16; n++) {
    part.at = 16 * n;
    scales[n] = search(part, 16, half);
  }
}

/** The same as with `fitAroundZero` and 32, four parts at once. */
function fitAroundTogether(values: Float32Array, lanes: Lanes): void {
  for (let n = 0; n < 16; n += LANES) {
    for (let part = 0; part < LANES; part++) {
      for (let i = 0; i < 16; i++) lanes.put(part, i, values[16 * (n + part) + i]);
    }
    lanes.fitAroundZero();
    for (let part = 0; part < LANES; part++) {
      scales[n + part] = lanes.scale(part);
      for (let i = 0; i < 16; i++) signedLevels[16 * (n + part) + i] = lanes.level(part, i);
    }
  }
}

/** The scale of largest magnitude, with its sign; the first one wins. */
function largestScale(): number {
  let largest = 0;
  for (let n = 0; n < 16; n++) if (abs(scales[n]) > abs(largest)) largest = scales[n];
  return largest;
}

/** Q3_K: third bits, levels of two bits, six bits of 16 scales, and the factor. */
function q3k(values: Float32Array, into: Uint8Array): void {
  fitSigned(values, 4, fitByTurns);
  const largest = largestScale();
  const divisor = f(-32 / largest);
  const scale = putHalf(into, 108, largest === 0 ? 0 : f(1 / divisor));
  into.fill(0, 0, 32);
  into.fill(0, 96, 108);
  for (let n = 0; n < 16; n++) {
    const own = largest === 0 ? 0 : max(-32, min(31, nearest(f(divisor * scales[n])))) + 32;
    into[96 + (n & 7)] |= (own & 15) << (n < 8 ? 0 : 4);
    into[104 + (n & 3)] |= (own >> 4) << (2 * (n >> 2));
    levelsAround(values, 16 * n, 4, f(scale * (own - 32)));
  }
  for (let i = 0; i < K_BLOCK; i++) {
    if (signedLevels[i] > 3) into[i & 31] |= 1 << (i >> 5);
    levels[i] = signedLevels[i] & 3;
  }
  putTwoBits(levels, into, 32);
}

/** Q6_K: low and high bits of the levels, 16 scales of a byte, and the factor. */
function q6k(values: Float32Array, into: Uint8Array, lanes: Lanes | null): void {
  if (lanes) fitAroundTogether(values, lanes);
  else fitSigned(values, 32, fitAroundZero);
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
      const [a, b, c, d] = [signedLevels[at], signedLevels[at + 32], signedLevels[at + 64], signedLevels[at + 96]];
      into[64 * half + i] = (a & 15) | ((c & 15) << 4);
      into[64 * half + 32 + i] = (b & 15) | ((d & 15) << 4);
      into[128 + 32 * half + i] = (a >> 4) | ((b >> 4) << 2) | ((c >> 4) << 4) | ((d >> 4) << 6);
    }
  }
}

/** Four numbers that are 32 apart share a byte. */
function putTwoBits(from: Uint8Array, into: Uint8Array, at: number): void {
  for (let half = 0; half < 2; half++) {
    for (let i = 0; i < 32; i++) {
      const n = 128 * half + i;
      into[at + 32 * half + i] = from[n] | (from[n + 32] << 2) | (from[n + 64] << 4) | (from[n + 96] << 6);
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

const BLOCKS: Readonly<Record<KDtype, (values: Float32Array, into: Uint8Array, lanes: Lanes | null) => void>> = {
  Q2_K: q2k,
  Q3_K: q3k,
  Q4_K: q4k,
  Q5_K: q5k,
  Q6_K: q6k,
};
