/**
 * Compares every number of a written model with the model that it was written from. A type may round; how far is known
 * for each: half a unit of the last place of a float, half a step of a block of 32, a whole one where the type cuts off
 * the end of a range, and one and a half in the blocks of K-quants. Any larger difference is damage. Where an importance matrix guided
 * the rounding, a column that counts little may be off by the range of its block, and the matrix as a whole by half of its length.
 */
import { type WeightKey, keyText, weightOf } from '../checkpoint/weight-key';
import { K_BLOCK } from '../formats/gguf/k-quants/quantize';
import { isKQuant, isSearched } from '../formats/gguf/quantize';
import type { Tiled } from '../formats/tensor';
import { columnsMoved, modelLine } from '../formats/tiled';
import { type JobOptions, Work } from '../progress';
import { keysInFileOrder } from '../weights/in-file-order';
import { readWide, rowWidth, type WeightSource } from '../weights/source';

export interface WeightsComparison {
  /** Tensors that were compared, all of their numbers. */
  readonly tensors: number;
  /** The largest difference. */
  readonly maxDifference: number;
  /** The first tensor with a number further off than its type rounds; absent if there is none. */
  readonly wrong?: string;
}

/** Numbers of each side in memory at a time. */
const PIECE = 2 ** 20;

/** Numbers that ggml's simple types scale together. */
const BLOCK = 32;

/** Floats and blocks of 32. */
const blockOf = (type: string): number => (isKQuant(type) ? K_BLOCK : BLOCK);

/** Unit roundoff of a float, and half its smallest step near zero. */
interface FloatRounding {
  readonly relative: number;
  readonly absolute: number;
}

const FLOATS: Readonly<Record<string, FloatRounding>> = {
  F32: { relative: 2 ** -24, absolute: 2 ** -150 },
  F16: { relative: 2 ** -11, absolute: 2 ** -25 },
  BF16: { relative: 2 ** -8, absolute: 2 ** -134 },
};

/** Steps of a block: across its range from the smallest to the largest number, or to its largest magnitude. */
interface BlockSteps {
  readonly steps: number;
  readonly ranged: boolean;
  readonly off: number;
  /** Zero is in the range in any case. */
  readonly fromZero?: true;
}

const BLOCKS: Readonly<Record<string, BlockSteps>> = {
  Q8_0: { steps: 127, ranged: false, off: 0.5 },
  // −8 to 7 and −16 to 15: the largest magnitude with the other sign is one step beyond the end.
  Q4_0: { steps: 8, ranged: false, off: 1 },
  Q5_0: { steps: 16, ranged: false, off: 1 },
  Q4_1: { steps: 15, ranged: true, off: 0.5 },
  Q5_1: { steps: 31, ranged: true, off: 0.5 },
  // The widest gap is between −127 and −104, at the end that the search may cut off.
  IQ4_NL: { steps: 127, ranged: false, off: 23 },
  // The search weighs errors, and may cut off either end.
  Q2_K: { steps: 3, ranged: true, off: 1.5, fromZero: true },
  Q3_K: { steps: 4, ranged: false, off: 1.5 },
  Q4_K: { steps: 15, ranged: true, off: 1.5, fromZero: true },
  Q5_K: { steps: 31, ranged: true, off: 1.5, fromZero: true },
  Q6_K: { steps: 32, ranged: false, off: 1.5 },
};

/** Of a matrix that was rounded by importance: the length of all differences beside that of its numbers. */
const WEIGHED = 0.5;

/** Scale and minimum of a block are halves themselves. */
const HALF = 2 ** -10;

/** Half of the smallest half: a small scale is off by this much, and each step with it. */
const SMALLEST_HALF = 2 ** -25;

/**
 * @param source the model, with its changes
 * @param kept blocks of the source, in the order of the written model's
 * @param typeOf the type of a weight in the written file
 * @param isWeighed whether an importance matrix guided its rounding
 * @throws UserError when a file cannot be read; CancelledError
 */
export async function compareWeights(
  source: WeightSource,
  written: WeightSource,
  kept: readonly number[],
  { typeOf, isWeighed }: { readonly typeOf: (key: WeightKey) => string | undefined; readonly isWeighed?: boolean },
  job: JobOptions,
): Promise<WeightsComparison> {
  const keys = keysInFileOrder(written);
  const total = keys.reduce((sum, key) => sum + written.shape(key).reduce((a, b) => a * b, 1), 0);
  const work = new Work(job, total, 'weights', 'comparing weights');
  let [tensors, maxDifference] = [0, 0];
  let wrong: string | undefined;
  for (const key of keys) {
    const original = typeof key === 'string' ? key : { ...key, layer: kept[key.layer] };
    const shape = written.shape(key);
    const width = rowWidth(shape);
    const rows = Math.max(1, Math.floor(PIECE / width));
    const type = isCopied(source.stored(original), written.stored(key)) ? undefined : typeOf(key);
    const { above = 0, power, tiled } = written.stored(key) ?? {};
    const columns = tiled?.axis === 'columns' ? tiled : undefined;
    const length = { differences: 0, numbers: 0 };
    for (let start = 0; start < shape[0]; start += rows) {
      const range = { start, count: Math.min(rows, shape[0] - start) };
      const found = await written.read(key, range);
      // A bias that only the written model has is zero.
      const expected = weightOf(source.architecture, original)
        ? await readWide(source, original, range)
        : new Float64Array(found.length);
      // Blocks of numbers that are rounded together are those of the file.
      const before = columns ? inFile(expected, width, columns) : expected;
      const after = columns ? inFile(found, width, columns) : found;
      const how = { type, above, isWeighed, ...(power && { isPower: true }) };
      const { most, isWrong } = compareNumbers(before, after, how, length);
      maxDifference = Math.max(maxDifference, most);
      if (isWrong) wrong ??= keyText(key);
      work.advance(found.length);
    }
    if (isWeighed && type !== undefined && length.differences > WEIGHED ** 2 * length.numbers) wrong ??= keyText(key);
    tensors++;
  }
  return { tensors, maxDifference, ...(wrong !== undefined && { wrong }) };
}

const inFile = <T extends Float32Array | Float64Array>(values: T, width: number, tiled: Tiled): T =>
  columnsMoved(values, width, (column) => modelLine(tiled, column));

/**
 * Whether nothing was rounded, so that the numbers are the same to the last bit: floats keep their type; and a matrix whose type
 * is found by a search is copied if it was one before, since making it again could move numbers.
 */
function isCopied(before: Stored | undefined, after: Stored | undefined): boolean {
  if (!before || !after || before.dtype !== after.dtype) return false;
  if (isSearched(before.dtype)) return before.paired === after.paired;
  return before.dtype in FLOATS && before.above === after.above && before.power === after.power;
}

type Stored = ReturnType<WeightSource['stored']> & object;

/** Largest difference of a block of numbers that its type allows: `bound(expected, start, end)` for number i. */
type Bound = (expected: Float64Array, start: number, end: number) => (i: number) => number;

function boundOf({ type = '', above = 0, isWeighed, isPower }: HowStored): Bound {
  const float = FLOATS[type];
  // What is rounded is −e^x: x is off by as much as that is in relation to itself.
  if (isPower) return (expected) => (i) => 4 * FLOATS.F32.relative * (1 + Math.abs(expected[i]));
  if (float && above !== 0) {
    // The sum is rounded to the type, and what is left of it to float32.
    return (expected) => (i) =>
      float.relative * Math.abs(expected[i] + above) + FLOATS.F32.relative * Math.abs(expected[i]) + float.absolute;
  }
  if (float) return (expected) => (i) => float.relative * Math.abs(expected[i]) + float.absolute;
  const block = BLOCKS[type];
  if (!block) return FLOAT32; // other types are copied as they are
  return (expected, start, end) => {
    let [low, high] = block.fromZero ? [0, 0] : [Infinity, -Infinity];
    for (let i = start; i < end; i++) {
      low = Math.min(low, expected[i]);
      high = Math.max(high, expected[i]);
    }
    const largest = Math.max(Math.abs(low), Math.abs(high));
    const step = (block.ranged ? high - low : largest) / block.steps;
    const off = isWeighed && type !== 'Q8_0' ? block.steps : block.off;
    const most = off * step + HALF * (largest + (high - low)) + (block.steps + 1) * SMALLEST_HALF;
    return () => most;
  };
}

const FLOAT32: Bound = (expected) => (i) => 2 ** -23 * Math.abs(expected[i]) + 2 ** -150;

/** How a file has the numbers of a tensor. */
export interface HowStored {
  readonly type?: string;
  /** How much larger they are in the file (1 + w of Gemma's norms). */
  readonly above?: number;
  /** Whether an importance matrix guided the rounding. */
  readonly isWeighed?: boolean;
  /** Whether the file has −e^x in place of x. */
  readonly isPower?: boolean;
}

/**
 * Rows of blocks are whole blocks, so blocks of numbers one after another are those of the file.
 * @param expected numbers of the model @param found those of the file
 * @param length squares of the differences and of the numbers are added here
 */
export function compareNumbers(
  expected: Float64Array,
  found: Float32Array,
  stored: HowStored = {},
  length = { differences: 0, numbers: 0 },
): { readonly most: number; readonly isWrong: boolean } {
  const bound = boundOf(stored);
  let most = 0;
  let isWrong = false;
  const size = blockOf(stored.type ?? '');
  for (let start = 0; start < found.length; start += size) {
    const end = Math.min(start + size, found.length);
    const within = bound(expected, start, end);
    for (let i = start; i < end; i++) {
      const difference = Math.abs(expected[i] - found[i]);
      if (difference > most) most = difference;
      if (!(difference <= within(i))) isWrong = true;
      length.differences += difference * difference;
      length.numbers += expected[i] * expected[i];
    }
  }
  return { most, isWrong };
}
