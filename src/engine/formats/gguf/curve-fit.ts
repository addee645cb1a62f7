/** The search for the scale of IQ4_NL, whose levels stand for values of a curve, as ggml's reference makes it: float32, in its order. */
import { NOTHING } from './k-quants/fits';
import { byImportance, meanSquare } from './k-quants/importance';

const { fround: f, abs } = Math;

/** So many scales are tried to each side of the obvious one. */
const TRIES = 7;

const weights = new Float32Array(32);

/**
 * Finds the levels of a block of 32 numbers.
 * @param curve ascending values that the levels stand for
 * @param importance of the columns; errors weigh as much as the square of their number where it is undefined
 * @returns the scale
 */
export function fitCurve(
  values: Float32Array,
  curve: Int8Array,
  importance: Float32Array | undefined,
  levels: Uint8Array,
): number {
  if (importance) byImportance(values, importance, 32, f(2 * meanSquare(values)))(0, weights);
  else for (let i = 0; i < 32; i++) weights[i] = f(values[i] * values[i]);
  const scale = scaleOf(values, curve);
  // A block of zeros has the level nearest to zero, which is not the first one.
  const divisor = scale === 0 ? 0 : f(1 / scale);
  for (let i = 0; i < 32; i++) levels[i] = nearestOn(curve, f(divisor * values[i]));
  return scale;
}

/** The best of the scales that are tried, by the weights. */
function scaleOf(values: Float32Array, curve: Int8Array): number {
  let most = 0;
  for (const value of values) if (abs(value) > abs(most)) most = value;
  if (abs(most) < NOTHING) return 0;
  const sums = { xl: 0, ll: 0 };
  sumUp(values, curve, f(1 / f(-most / curve[0])), sums);
  let scale = sums.ll > 0 ? f(sums.xl / sums.ll) : 0;
  let best = f(scale * sums.xl);
  for (let n = -TRIES; n <= TRIES; n++) {
    sumUp(values, curve, f((n + curve[0]) / most), sums);
    if (!(sums.ll > 0 && f(sums.xl * sums.xl) > f(best * sums.ll))) continue;
    scale = f(sums.xl / sums.ll);
    best = f(scale * sums.xl);
  }
  return scale;
}

function sumUp(values: Float32Array, curve: Int8Array, divisor: number, sums: { xl: number; ll: number }): void {
  let [xl, ll] = [0, 0];
  for (let i = 0; i < 32; i++) {
    const value = curve[nearestOn(curve, f(divisor * values[i]))];
    const weighted = f(weights[i] * value);
    xl = f(xl + f(weighted * values[i]));
    ll = f(ll + f(weighted * value));
  }
  sums.xl = xl;
  sums.ll = ll;
}

/** The level whose value is nearest; the upper one of two. */
function nearestOn(curve: Int8Array, x: number): number {
  const last = curve.length - 1;
  if (x <= curve[0]) return 0;
  if (x >= curve[last]) return last;
  let [below, above] = [0, last];
  while (above - below > 1) {
    const middle = (below + above) >> 1;
    if (x < curve[middle]) above = middle;
    else below = middle;
  }
  return f(x - curve[above - 1]) < f(curve[above] - x) ? above - 1 : above;
}
