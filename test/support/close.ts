/** Comparing numbers with golden numbers: how close they must be, and when two orders are the same. */
import assert from 'node:assert/strict';

/** The tolerances of golden/README.md, for float32 against its references. */
export const TOLERANCE = {
  logits: { absolute: 1e-3 },
  residualNorm: { relative: 1e-4 },
  meanNll: { absolute: 1e-4 },
  magnitude: { relative: 1e-6 },
  similarity: { absolute: 1e-5 },
  taylor: { relative: 1e-4 },
  gradientNorm: { relative: 1e-4 },
  firstLoss: { absolute: 1e-5 },
  firstGradient: { relative: 1e-3 },
  trace: { absolute: 1e-4 },
  /**
   * Of full training of two toys, which float32 leaves sooner: PyTorch's own is off by 9e-4 on phi3-longrope (gradient norms by
   * 6e-3), and on olmo2-postnorm exact norms alone move float64 by 4e-5.
   */
  looseTrace: { absolute: 1e-3 },
  looseGradientNorm: { relative: 5e-3 },
  mergedFloat32: { absolute: 1e-5 },
  mergedSourceDtype: { absolute: 2e-3 },
} as const;

export type Tolerance = { readonly absolute: number } | { readonly relative: number };

/** Fails unless `actual` is within the tolerance of `expected`; NaN is close to nothing. */
export function assertClose(actual: number, expected: number, tolerance: Tolerance, what: string): void {
  const allowed = 'absolute' in tolerance ? tolerance.absolute : tolerance.relative * Math.abs(expected);
  const close = actual === expected || Math.abs(actual - expected) <= allowed;
  assert.ok(
    close,
    `${what}: ${actual}, expected ${expected} within ${allowed} (off by ${Math.abs(actual - expected)})`,
  );
}

/** The same for lists of equal length. */
export function assertAllClose(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  tolerance: Tolerance,
  what: string,
): void {
  assert.equal(actual.length, expected.length, `${what}: length`);
  for (let i = 0; i < expected.length; i++) assertClose(actual[i], expected[i], tolerance, `${what}[${i}]`);
}

/** Fails unless ‖actual − expected‖ ≤ tolerance · ‖expected‖ (L2): how gradients are compared. */
export function assertGradientClose(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  tolerance: number,
  what: string,
): void {
  assert.equal(actual.length, expected.length, `${what}: length`);
  let off = 0;
  let norm = 0;
  for (let i = 0; i < expected.length; i++) {
    off += (actual[i] - expected[i]) ** 2;
    norm += expected[i] ** 2;
  }
  const error = Math.sqrt(off / norm);
  assert.ok(error <= tolerance, `${what}: relative error ${error.toExponential(1)} in L2, allowed ${tolerance}`);
}

/** Fails unless `order` is the expected one, but for neighbours whose expected scores differ by at most `absolute`. */
export function assertSameOrder(
  order: readonly number[],
  expected: readonly number[],
  expectedScores: ArrayLike<number>,
  absolute: number,
): void {
  assert.deepEqual([...order].sort(numerically), [...expected].sort(numerically), 'order: same entries');
  for (let i = 0; i < order.length; i++) {
    const close =
      order[i] === expected[i] || Math.abs(expectedScores[order[i]] - expectedScores[expected[i]]) <= absolute;
    assert.ok(close, `order: place ${i} has ${order[i]}, expected ${expected[i]} in [${expected.join(', ')}]`);
  }
}

const numerically = (a: number, b: number): number => a - b;
