/**
 * The two slow searches of fits.ts on four parts at once, a lane each: the same operations in the same order, so the same bits. A lane that
 * has found nothing better keeps what it has.
 */
import {
  add,
  both,
  type Code,
  div,
  every,
  greater,
  ifAny,
  isEqual,
  isGreater,
  isLess,
  lesser,
  load,
  type Local,
  magnitude,
  moduleOf,
  mul,
  nearest,
  negated,
  not,
  number,
  plus,
  repeat,
  Routine,
  select,
  splat,
  store,
  sub,
  times,
} from './assembly';
import { NOTHING, type Steps } from './fits';

/** Parts that are fitted at once. */
export const LANES = 4;
const LARGEST_PART = 32;

/** Places in memory, in float32 numbers: number i of all parts, then number i + 1. */
const VALUES = 0;
const WEIGHTS = LANES * LARGEST_PART;
const LEVELS = 2 * WEIGHTS;
const TRIED = 3 * WEIGHTS;
const SCALES = 4 * WEIGHTS;
const MINIMUMS = SCALES + LANES;

const ZERO = every(0);

/** `fitAboveMinimum` of parts of so many numbers. Parameters: the highest level; first, step and last of the divisors. */
function aboveMinimum(count: number, byMagnitude: boolean): { readonly routine: Routine; readonly body: Code } {
  const routine = new Routine(`above${count}${byMagnitude ? 'm' : ''}`, 4);
  const [mostLevel, first, step, last] = [0, 1, 2, 3].map((index) => routine.parameter(index));
  const n = routine.scalar();
  const vectors = Array.from({ length: 15 }, () => routine.vector());
  const [least, largest, sumW, sumX, most, divisor, scale, best] = vectors;
  const [sumL, sumLL, sumXL, thisScale, thisLeast, sum, it] = vectors.slice(8);
  const indices = Array.from({ length: count }, (_, i) => LANES * i);
  // In this order, a quotient that is not a number gives level 0.
  const level = (value: Code): Code =>
    greater(ZERO, nearest(lesser(mul(divisor.get, sub(value, least.get)), most.get)));
  const addError = (at: number, levels: number, by: Code, from: Code, to: Local): Code => [
    ...it.set(sub(add(mul(by, load(levels + at)), from), load(VALUES + at))),
    ...to.set(add(to.get, mul(load(WEIGHTS + at), byMagnitude ? magnitude(it.get) : mul(it.get, it.get)))),
  ];
  const found = routine.vector();
  const determinant = routine.vector();
  const flat = routine.vector();
  const body = [
    most.set(splat(mostLevel)),
    least.set(load(VALUES)),
    largest.set(load(VALUES)),
    sumW.set(load(WEIGHTS)),
    sumX.set(mul(load(WEIGHTS), load(VALUES))),
    ...indices
      .slice(1)
      .flatMap((at) => [
        least.set(lesser(least.get, load(VALUES + at))),
        largest.set(greater(largest.get, load(VALUES + at))),
        sumW.set(add(sumW.get, load(WEIGHTS + at))),
        sumX.set(add(sumX.get, mul(load(WEIGHTS + at), load(VALUES + at)))),
      ]),
    least.set(lesser(least.get, ZERO)),
    flat.set(isEqual(largest.get, least.get)),
    divisor.set(div(most.get, sub(largest.get, least.get))),
    scale.set(div(every(1), divisor.get)),
    best.set(ZERO),
    ...indices.flatMap((at) => [
      store(LEVELS + at, level(load(VALUES + at))),
      addError(at, LEVELS, scale.get, least.get, best),
    ]),
    n.set(number(0)),
    repeat(
      [
        divisor.set(div(splat(plus(plus(first, times(step, n.get)), mostLevel)), sub(largest.get, least.get))),
        sumL.set(ZERO),
        sumLL.set(ZERO),
        sumXL.set(ZERO),
        ...indices.flatMap((at) => [
          store(TRIED + at, level(load(VALUES + at))),
          it.set(mul(load(WEIGHTS + at), load(TRIED + at))),
          sumL.set(add(sumL.get, it.get)),
          sumLL.set(add(sumLL.get, mul(it.get, load(TRIED + at)))),
          sumXL.set(add(sumXL.get, mul(it.get, load(VALUES + at)))),
        ]),
        determinant.set(sub(mul(sumW.get, sumLL.get), mul(sumL.get, sumL.get))),
        thisScale.set(div(sub(mul(sumW.get, sumXL.get), mul(sumX.get, sumL.get)), determinant.get)),
        thisLeast.set(div(sub(mul(sumLL.get, sumX.get), mul(sumL.get, sumXL.get)), determinant.get)),
        found.set(isGreater(thisLeast.get, ZERO)),
        thisScale.set(select(div(sumXL.get, sumLL.get), thisScale.get, found.get)),
        thisLeast.set(select(ZERO, thisLeast.get, found.get)),
        sum.set(ZERO),
        ...indices.map((at) => addError(at, TRIED, thisScale.get, thisLeast.get, sum)),
        found.set(both(isLess(sum.get, best.get), both(isGreater(determinant.get, ZERO), not(flat.get)))),
        ifAny(
          found.get,
          [
            ...indices.map((at) => store(LEVELS + at, select(load(TRIED + at), load(LEVELS + at), found.get))),
            best.set(select(sum.get, best.get, found.get)),
            scale.set(select(thisScale.get, scale.get, found.get)),
            least.set(select(thisLeast.get, least.get, found.get)),
          ].flat(),
        ),
        n.set(plus(n.get, number(1))),
      ].flat(),
      n.get,
      last,
    ),
    ifAny(
      flat.get,
      indices.flatMap((at) => store(LEVELS + at, select(ZERO, load(LEVELS + at), flat.get))),
    ),
    store(SCALES, select(ZERO, scale.get, flat.get)),
    store(MINIMUMS, negated(least.get)),
  ].flat();
  return { routine, body };
}

/** Tenths of a level by which divisors differ from the obvious one, in the order in which they are tried. */
const AWAY = [0, ...[-9, -8, -7, -6, -5, -4, -3, -2, -1], ...[1, 2, 3, 4, 5, 6, 7, 8, 9]];

/** `fitAroundZero` of parts of so many numbers. Parameter: the level of zero. */
function aroundZero(count: number, isWeighted: boolean): { readonly routine: Routine; readonly body: Code } {
  const routine = new Routine(`around${count}${isWeighted ? 'w' : ''}`, 1);
  const half = routine.parameter(0);
  const vectors = Array.from({ length: 12 }, () => routine.vector());
  const [most, size, divisor, scale, best, sumXL, sumLL, it, found, zero, lowest, highest] = vectors;
  const indices = Array.from({ length: count }, (_, i) => LANES * i);
  const level = (at: number): Code =>
    greater(lowest.get, lesser(highest.get, nearest(mul(divisor.get, load(VALUES + at)))));
  const sums = (): Code =>
    indices.flatMap((at) => [
      ...store(TRIED + at, level(at)),
      ...it.set(isWeighted ? load(WEIGHTS + at) : mul(load(VALUES + at), load(VALUES + at))),
      ...sumXL.set(add(sumXL.get, mul(mul(it.get, load(VALUES + at)), load(TRIED + at)))),
      ...sumLL.set(add(sumLL.get, mul(mul(it.get, load(TRIED + at)), load(TRIED + at)))),
    ]);
  const body = [
    zero.set(splat(half)),
    lowest.set(negated(zero.get)),
    highest.set(sub(zero.get, every(1))),
    most.set(ZERO),
    size.set(ZERO),
    ...indices.flatMap((at) => [
      it.set(magnitude(load(VALUES + at))),
      found.set(isGreater(it.get, size.get)),
      most.set(select(load(VALUES + at), most.get, found.get)),
      size.set(select(it.get, size.get, found.get)),
    ]),
    ...AWAY.flatMap((away, tries) => [
      divisor.set(div(negated(add(zero.get, every(Math.fround(Math.fround(0.1) * away)))), most.get)),
      sumXL.set(ZERO),
      sumLL.set(ZERO),
      sums(),
      found.set(isGreater(sumLL.get, ZERO)),
      it.set(select(div(sumXL.get, sumLL.get), ZERO, found.get)),
      ...(tries === 0
        ? [
            scale.set(it.get),
            best.set(mul(scale.get, sumXL.get)),
            ...indices.map((at) => store(LEVELS + at, add(load(TRIED + at), zero.get))),
          ]
        : [
            found.set(both(found.get, isGreater(mul(sumXL.get, sumXL.get), mul(best.get, sumLL.get)))),
            ifAny(
              found.get,
              [
                scale.set(select(it.get, scale.get, found.get)),
                best.set(select(mul(it.get, sumXL.get), best.get, found.get)),
                ...indices.map((at) =>
                  store(LEVELS + at, select(add(load(TRIED + at), zero.get), load(LEVELS + at), found.get)),
                ),
              ].flat(),
            ),
          ]),
    ]),
    found.set(isLess(size.get, every(NOTHING))),
    ifAny(
      found.get,
      indices.flatMap((at) => store(LEVELS + at, select(ZERO, load(LEVELS + at), found.get))),
    ),
    store(SCALES, select(ZERO, scale.get, found.get)),
  ].flat();
  return { routine, body };
}

type Above = (most: number, first: number, step: number, last: number) => void;
type Around = (half: number) => void;

interface Exports {
  readonly memory: { readonly buffer: ArrayBuffer };
  readonly above16m: Above;
  readonly above16: Above;
  readonly above32: Above;
  readonly around16: Around;
  readonly around16w: Around;
  readonly around32w: Around;
}

/** What is used of the global of this name, which the types of Node.js do not have. */
interface Wasm {
  readonly validate: (bytes: Uint8Array) => boolean;
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object) => { readonly exports: Exports };
}

/** Searches on four parts; what they read and find is in `memory`. */
export class Lanes {
  readonly memory: Float32Array;

  private constructor(private readonly searches: Exports) {
    this.memory = new Float32Array(searches.memory.buffer);
  }

  /** @returns undefined where the machine has no vectors */
  static open(): Lanes | undefined {
    const wasm = (globalThis as { readonly WebAssembly?: Wasm }).WebAssembly;
    const bytes = moduleOf([
      aboveMinimum(16, true),
      aboveMinimum(16, false),
      aboveMinimum(32, false),
      aroundZero(16, false),
      aroundZero(16, true),
      aroundZero(32, true),
    ]);
    if (!wasm?.validate(bytes)) return undefined;
    return new Lanes(new wasm.Instance(new wasm.Module(bytes)).exports);
  }

  /** Number i of a part. */
  put(part: number, i: number, value: number): void {
    this.memory[VALUES + LANES * i + part] = value;
  }

  weigh(part: number, i: number, weight: number): void {
    this.memory[WEIGHTS + LANES * i + part] = weight;
  }

  fitAboveMinimum(size: 16 | 32, most: number, { first, step, last, byMagnitude }: Steps): void {
    const { above16, above16m, above32 } = this.searches;
    if (byMagnitude && size === 32) throw new Error('no search by magnitude for parts of 32');
    (size === 32 ? above32 : byMagnitude ? above16m : above16)(most, first, step, last);
  }

  /** Parts of 32 numbers are weighted. @param half the level of zero */
  fitAroundZero(size: 16 | 32, half: number, isWeighted: boolean): void {
    const { around16, around16w, around32w } = this.searches;
    if (!isWeighted && size === 32) throw new Error('no search without weights for parts of 32');
    (size === 32 ? around32w : isWeighted ? around16w : around16)(half);
  }

  level(part: number, i: number): number {
    return this.memory[LEVELS + LANES * i + part];
  }

  scale(part: number): number {
    return this.memory[SCALES + part];
  }

  minimum(part: number): number {
    return this.memory[MINIMUMS + part];
  }
}
