/**
 * The searches of fits.ts over all parts of some numbers: four parts at once where the machine has vectors, else one after another, which
 * gives the same bits.
 */
import { fitAboveMinimum, fitAroundZero, type OffsetFit, type Part, type Steps } from './fits';
import { LANES, Lanes } from './lanes';

/** What is found for every part, and the levels of all numbers. Nothing of it outlives the next search. */
export interface Found {
  readonly levels: Int8Array;
  readonly scales: Float32Array;
  readonly minimums: Float32Array;
}

/** Room for what is found of so many numbers in parts of at least 16. */
export const roomFor = (count: number): Found => ({
  levels: new Int8Array(count),
  scales: new Float32Array(count / 16),
  minimums: new Float32Array(count / 16),
});

/** Writes the weights of the errors of the part that begins at `at`. */
export type Weigh = (at: number, weights: Float32Array) => void;

/** Parts of one size. */
interface Parts {
  readonly values: Float32Array;
  readonly size: 16 | 32;
}

/** Opened when it is first needed; null where the machine has no vectors. */
let vectors: Lanes | null | undefined;

/** The lanes of this machine; null where it has none. */
export const ownLanes = (): Lanes | null => (vectors ??= Lanes.open() ?? null);

const weights = new Float32Array(32);
const tried = new Int8Array(32);
const fit: OffsetFit = { scale: 0, minimum: 0 };

/** Fits every part above its minimum, with levels 0 … `most`. @param lanes null for one part after another */
export function fitAllAbove(
  parts: Parts,
  { most, steps }: { readonly most: number; readonly steps: Steps },
  weigh: Weigh,
  into: Found,
  lanes: Lanes | null,
): void {
  const { size } = parts;
  fitAll(parts, weigh, into, lanes, {
    four(own, n) {
      own.fitAboveMinimum(size, most, steps);
      for (let lane = 0; lane < LANES; lane++) into.minimums[n + lane] = own.minimum(lane);
    },
    one(part, n) {
      fitAboveMinimum(part, size, most, weights, steps, tried, fit);
      into.minimums[n] = fit.minimum;
      return fit.scale;
    },
  });
}

/**
 * Fits every part around zero, with levels 0 … 2 · `half` − 1.
 * @param weigh null where errors weigh as much as the square of their number: parts of 16 only
 * @param lanes null for one part after another
 */
export function fitAllAround(parts: Parts, half: number, weigh: Weigh | null, into: Found, lanes: Lanes | null): void {
  const { size } = parts;
  fitAll(parts, weigh, into, lanes, {
    four: (own) => own.fitAroundZero(size, half, weigh !== null),
    one: (part) => fitAroundZero(part, size, half, weigh ? weights : null),
  });
}

/** A search for part `n`, whose weights are in `weights`: for four parts from there on, or for one, which gives its scale. */
interface Search {
  readonly four: (lanes: Lanes, n: number) => void;
  readonly one: (part: Part, n: number) => number;
}

function fitAll({ values, size }: Parts, weigh: Weigh | null, into: Found, lanes: Lanes | null, search: Search): void {
  const count = values.length / size;
  const part: Part = { values, levels: into.levels, at: 0 };
  let n = 0;
  for (; lanes && n + LANES <= count; n += LANES) {
    show(values, size, n, weigh, lanes);
    search.four(lanes, n);
    take(size, n, into, lanes);
  }
  for (; n < count; n++) {
    part.at = n * size;
    weigh?.(part.at, weights);
    into.scales[n] = search.one(part, n);
  }
}

/** Four parts from part `n` on. */
function show(values: Float32Array, size: number, n: number, weigh: Weigh | null, lanes: Lanes): void {
  for (let part = 0; part < LANES; part++) {
    const at = (n + part) * size;
    for (let i = 0; i < size; i++) lanes.put(part, i, values[at + i]);
    if (!weigh) continue;
    weigh(at, weights);
    for (let i = 0; i < size; i++) lanes.weigh(part, i, weights[i]);
  }
}

function take(size: number, n: number, into: Found, lanes: Lanes): void {
  for (let part = 0; part < LANES; part++) {
    const at = (n + part) * size;
    into.scales[n + part] = lanes.scale(part);
    for (let i = 0; i < size; i++) into.levels[at + i] = lanes.level(part, i);
  }
}
