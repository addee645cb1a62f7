/** Spreads outliers over their neighbours before numbers are rounded. */
import type { Graph, Value } from '../graph';

/** Numbers that are mixed with each other, at most, unless said otherwise: more gain little. */
const MOST_MIXED = 64;

/**
 * Turns the rows of x, or of a weight, by an orthogonal matrix: neighbours are mixed by a Hadamard matrix of ±1/√n. Products of
 * two turned matrices are those of the matrices. But single large numbers, which LLMs have in few channels, are spread over their
 * neighbours, so that rounding costs the others less (QuaRot, Ashkboos et al. 2024).
 * @param x (rows, in)
 * @param most numbers that are mixed with each other, at most; a power of two
 */
export function spread(g: Graph, x: Value, most = MOST_MIXED): Value {
  const width = x.shape[1] as number;
  const size = mixedOf(width, most);
  if (size === 1) return x;
  const pieces = { type: x.type, shape: ['pieces', width / size, size] };
  const cut = g.op('Reshape', [x, g.ints(-1, width / size, size)], pieces);
  const matrix = g.once(`hadamard ${size}`, () => g.floats(hadamard(size), [size, size]));
  const turned = g.op('MatMul', [cut, matrix], pieces);
  return g.op('Reshape', [turned, g.ints(-1, width)], x);
}

/** How many neighbours are mixed: the largest power of two up to `most` that divides the width. */
function mixedOf(width: number, most = MOST_MIXED): number {
  let size = 1;
  while (size < most && width % (2 * size) === 0) size *= 2;
  return size;
}

/** Sylvester's Hadamard matrix over √n: its own inverse. (n, n) */
function hadamard(n: number): Float32Array {
  const sign = (row: number, column: number): number => {
    let common = row & column;
    let odd = false;
    for (; common > 0; common &= common - 1) odd = !odd;
    return odd ? -1 : 1;
  };
  return Float32Array.from({ length: n * n }, (_, at) => sign(Math.floor(at / n), at % n) / Math.sqrt(n));
}

/**
 * `spread` of numbers in memory, in place, by the fast transform: whole rows of `width`, one after another. Two of its stages at a
 * time touch each number half as often.
 */
export function spreadRows(numbers: Float32Array, width: number): void {
  const size = mixedOf(width);
  const factor = 1 / Math.sqrt(size);
  const isOdd = Math.log2(size) % 2 === 1;
  for (let start = 0; start < numbers.length; start += size) {
    const end = start + size;
    if (isOdd) addAndSubtract(numbers, start, end);
    for (let step = isOdd ? 2 : 1; step < size; step *= 4) {
      for (let four = start; four < end; four += 4 * step) {
        for (let i = four; i < four + step; i++) {
          const a = numbers[i];
          const b = numbers[i + step];
          const c = numbers[i + 2 * step];
          const d = numbers[i + 3 * step];
          const firstSum = a + b;
          const firstDifference = a - b;
          const secondSum = c + d;
          const secondDifference = c - d;
          numbers[i] = firstSum + secondSum;
          numbers[i + step] = firstDifference + secondDifference;
          numbers[i + 2 * step] = firstSum - secondSum;
          numbers[i + 3 * step] = firstDifference - secondDifference;
        }
      }
    }
    for (let i = start; i < end; i++) numbers[i] *= factor;
  }
}

/** Of neighbours: the stage that is left of an odd number of them. */
function addAndSubtract(numbers: Float32Array, start: number, end: number): void {
  for (let i = start; i < end; i += 2) {
    const a = numbers[i];
    const b = numbers[i + 1];
    numbers[i] = a + b;
    numbers[i + 1] = a - b;
  }
}
