/**
 * The searches for a scale that K-quants share, as ggml's reference makes them: some scales near the obvious one are tried, and the one
 * whose levels are nearest by weighted least squares is kept. Numbers are float32, and every sum and product is rounded to it in
 * ggml's order, so that the levels are the same to the last bit.
 */

const { fround: f, abs, max, min } = Math;

/** Parts of smaller magnitude count as zeros. */
export const NOTHING = f(1e-15);

/** Adding this to a float32 leaves no digits behind the point: halves go to even numbers. */
const TO_WHOLE = 12582912;

/** The nearest whole number of a float32 of at most 22 bits. */
export const nearest = (value: number): number => (f(value + TO_WHOLE) - TO_WHOLE) | 0;

const clamped = (level: number, least: number, most: number): number => max(least, min(most, level));

/** Numbers of a part, and where their levels go: `levels[at + i]` is that of `values[at + i]`. */
export interface Part {
  readonly values: Float32Array;
  readonly levels: Int8Array | Uint8Array;
  at: number;
}

/** A scale is tried for each step of the divisor: `first`, `first + step`, … beside the number of levels. */
export interface Steps {
  readonly first: number;
  readonly step: number;
  readonly last: number;
  /** Errors count by their magnitude in place of their square. */
  readonly byMagnitude: boolean;
}

/** value ≈ scale · level − minimum */
export interface OffsetFit {
  scale: number;
  minimum: number;
}

/**
 * Levels 0 … `most` of a part above its minimum, which is at most 0.
 * @param weights of the errors, one for each number
 * @param tried for levels of a try
 */
export function fitAboveMinimum(
  { values, levels, at }: Part,
  count: number,
  most: number,
  weights: Float32Array,
  { first, step, last, byMagnitude }: Steps,
  tried: Uint8Array,
  into: OffsetFit,
): void {
  let least = values[at];
  let largest = least;
  let sumW = weights[0];
  let sumX = f(sumW * least);
  for (let i = 1; i < count; i++) {
    const value = values[at + i];
    if (value < least) least = value;
    if (value > largest) largest = value;
    sumW = f(sumW + weights[i]);
    sumX = f(sumX + f(weights[i] * value));
  }
  if (least > 0) least = 0;
  if (largest === least) {
    levels.fill(0, at, at + count);
    into.scale = 0;
    into.minimum = -least;
    return;
  }
  let divisor = f(most / f(largest - least));
  let scale = f(1 / divisor);
  let best = 0;
  for (let i = 0; i < count; i++) {
    const value = values[at + i];
    const level = clamped(nearest(f(divisor * f(value - least))), 0, most);
    levels[at + i] = level;
    const error = f(f(f(scale * level) + least) - value);
    best = f(best + f(weights[i] * (byMagnitude ? abs(error) : f(error * error))));
  }
  for (let n = 0; n <= last; n++) {
    divisor = f(f(f(first + f(step * n)) + most) / f(largest - least));
    let [sumL, sumLL, sumXL] = [0, 0, 0];
    for (let i = 0; i < count; i++) {
      const value = values[at + i];
      const level = clamped(nearest(f(divisor * f(value - least))), 0, most);
      tried[i] = level;
      const weighted = f(weights[i] * level);
      sumL = f(sumL + weighted);
      sumLL = f(sumLL + f(weighted * level));
      sumXL = f(sumXL + f(weighted * value));
    }
    const determinant = f(f(sumW * sumLL) - f(sumL * sumL));
    if (!(determinant > 0)) continue;
    let thisScale = f(f(f(sumW * sumXL) - f(sumX * sumL)) / determinant);
    let thisLeast = f(f(f(sumLL * sumX) - f(sumL * sumXL)) / determinant);
    if (thisLeast > 0) {
      thisLeast = 0;
      thisScale = f(sumXL / sumLL);
    }
    let sum = 0;
    for (let i = 0; i < count; i++) {
      const error = f(f(f(thisScale * tried[i]) + thisLeast) - values[at + i]);
      sum = f(sum + f(weights[i] * (byMagnitude ? abs(error) : f(error * error))));
    }
    if (!(sum < best)) continue;
    for (let i = 0; i < count; i++) levels[at + i] = tried[i];
    best = sum;
    scale = thisScale;
    least = thisLeast;
  }
  into.scale = scale;
  into.minimum = -least;
}

/** The number of largest magnitude, with its sign. The first one wins. */
function extreme({ values, at }: Part, count: number): number {
  let found = 0;
  for (let i = 0; i < count; i++) if (abs(values[at + i]) > abs(found)) found = values[at + i];
  return found;
}

/**
 * Levels 0 … 2 · `half` − 1 of a part; `half` stands for zero. Errors weigh as much as the square of their number.
 * @returns the scale
 */
export function fitAroundZero(part: Part, count: number, half: number): number {
  const { values, levels, at } = part;
  const most = extreme(part, count);
  if (abs(most) < NOTHING) {
    levels.fill(0, at, at + count);
    return 0;
  }
  let scale = 0;
  let best = 0;
  for (let n = 0; n <= 18; n++) {
    // The obvious divisor first, then those around it.
    const away = n === 0 ? 0 : n <= 9 ? n - 10 : n - 9;
    const divisor = f(-f(half + f(f(0.1) * away)) / most);
    let [sumXL, sumLL] = [0, 0];
    for (let i = 0; i < count; i++) {
      const value = values[at + i];
      const level = clamped(nearest(f(divisor * value)), -half, half - 1);
      const weight = f(value * value);
      sumXL = f(sumXL + f(f(weight * value) * level));
      sumLL = f(sumLL + f(f(weight * level) * level));
    }
    const isBetter = n === 0 || (sumLL > 0 && f(sumXL * sumXL) > f(best * sumLL));
    if (!isBetter) continue;
    for (let i = 0; i < count; i++) {
      levels[at + i] = half + clamped(nearest(f(divisor * values[at + i])), -half, half - 1);
    }
    scale = sumLL > 0 ? f(sumXL / sumLL) : 0;
    best = f(scale * sumXL);
  }
  return scale;
}

/** Rounds of `fitByTurns` at most. */
const ROUNDS = 5;

/**
 * The same, where levels are improved one after another: each takes the level that suits the scale of all others, if the sum gets better.
 * @returns the scale
 */
export function fitByTurns(part: Part, count: number, half: number): number {
  const { values, levels, at } = part;
  const most = extreme(part, count);
  if (abs(most) < NOTHING) {
    levels.fill(0, at, at + count);
    return 0;
  }
  const divisor = f(-half / most);
  let [sumXL, sumLL] = [0, 0];
  for (let i = 0; i < count; i++) {
    const value = values[at + i];
    const level = clamped(nearest(f(divisor * value)), -half, half - 1);
    levels[at + i] = level;
    const weight = f(value * value);
    sumXL = f(sumXL + f(f(weight * value) * level));
    sumLL = f(sumLL + f(f(weight * level) * level));
  }
  for (let round = 0, changed = true; round < ROUNDS && changed; round++) {
    changed = false;
    for (let i = 0; i < count; i++) {
      const value = values[at + i];
      const weight = f(value * value);
      const old = levels[at + i];
      let otherXL = f(sumXL - f(f(weight * value) * old));
      if (!(otherXL > 0)) continue;
      let otherLL = f(sumLL - f(f(weight * old) * old));
      const level = clamped(nearest(f(f(value * otherLL) / otherXL)), -half, half - 1);
      if (level === old) continue;
      otherXL = f(otherXL + f(f(weight * value) * level));
      otherLL = f(otherLL + f(f(weight * level) * level));
      if (!(otherLL > 0 && f(f(otherXL * otherXL) * sumLL) > f(f(sumXL * sumXL) * otherLL))) continue;
      levels[at + i] = level;
      sumXL = otherXL;
      sumLL = otherLL;
      changed = true;
    }
  }
  for (let i = 0; i < count; i++) levels[at + i] += half;
  return sumLL > 0 ? f(sumXL / sumLL) : 0;
}
