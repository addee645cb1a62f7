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

/** A minimum that a fit moved up to the largest number leaves quotients that are infinite or undefined, and these have levels too. */
const levelAbove = (quotient: number, most: number): number => (quotient > 0 ? nearest(min(quotient, most)) : 0);

/** Numbers of a part, and where their levels go: `levels[at + i]` is that of `values[at + i]`. */
export interface Part {
  readonly values: Float32Array;
  readonly levels: Int8Array;
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
  tried: Int8Array,
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
    const level = levelAbove(f(divisor * f(value - least)), most);
    levels[at + i] = level;
    const error = f(f(f(scale * level) + least) - value);
    best = f(best + f(weights[i] * (byMagnitude ? abs(error) : f(error * error))));
  }
  for (let n = 0; n <= last; n++) {
    divisor = f(f(f(first + f(step * n)) + most) / f(largest - least));
    let [sumL, sumLL, sumXL] = [0, 0, 0];
    for (let i = 0; i < count; i++) {
      const value = values[at + i];
      const level = levelAbove(f(divisor * f(value - least)), most);
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
 * Levels 0 … 2 · `half` − 1 of a part; `half` stands for zero.
 * @param weights of the errors, one for each number; the squares of the numbers where they are null
 * @returns the scale
 */
export function fitAroundZero(part: Part, count: number, half: number, weights: Float32Array | null): number {
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
      const weight = weights ? weights[i] : f(value * value);
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

/** Rounds of searches that improve one level after another, at most. */
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

/** Tenths of a level by which divisors differ from the obvious one, in the order in which they are tried. */
const NEAR = [-4, -3, -2, -1, 1, 2, 3, 4];

/**
 * Levels 0 … `most` of numbers that are not negative, such as the scales of parts.
 * @param weights of the errors, one for each number
 * @returns the scale
 */
export function fitPositive(
  values: Float32Array,
  count: number,
  most: number,
  weights: Float32Array,
  levels: Uint8Array,
): number {
  let largest = 0;
  for (let i = 0; i < count; i++) largest = max(largest, values[i]);
  if (largest < NOTHING) {
    levels.fill(0, 0, count);
    return 0;
  }
  let divisor = f(most / largest);
  let best = errorOf(values, count, divisor, Infinity, weights);
  for (const away of NEAR) {
    const other = f(f(f(f(0.1) * away) + most) / largest);
    const error = errorOf(values, count, other, most, weights);
    if (!(error < best)) continue;
    best = error;
    divisor = other;
  }
  let [sumXL, sumLL] = [0, 0];
  for (let i = 0; i < count; i++) {
    const level = min(most, nearest(f(divisor * values[i])));
    levels[i] = level;
    sumXL = f(sumXL + f(f(weights[i] * values[i]) * level));
    sumLL = f(sumLL + f(f(weights[i] * level) * level));
  }
  for (let round = 0, changed = true; round < ROUNDS && changed; round++) {
    changed = false;
    for (let i = 0; i < count; i++) {
      const [value, weight, old] = [values[i], weights[i], levels[i]];
      let otherXL = f(sumXL - f(f(weight * value) * old));
      let otherLL = f(sumLL - f(f(weight * old) * old));
      if (!(otherXL > 0 && otherLL > 0)) continue;
      const level = min(most, nearest(f(f(value * otherLL) / otherXL)));
      if (level === old) continue;
      otherXL = f(otherXL + f(f(weight * value) * level));
      otherLL = f(otherLL + f(f(weight * level) * level));
      if (!(f(f(otherXL * otherXL) * sumLL) > f(f(sumXL * sumXL) * otherLL))) continue;
      levels[i] = level;
      sumXL = otherXL;
      sumLL = otherLL;
      changed = true;
    }
  }
  return sumLL > 0 ? f(sumXL / sumLL) : 0;
}

/** The weighted sum of squared errors of the levels that a divisor gives. */
function errorOf(values: Float32Array, count: number, divisor: number, most: number, weights: Float32Array): number {
  const scale = f(1 / divisor);
  let sum = 0;
  for (let i = 0; i < count; i++) {
    const error = f(values[i] - f(scale * min(most, nearest(f(divisor * values[i])))));
    sum = f(sum + f(f(weights[i] * error) * error));
  }
  return sum;
}
