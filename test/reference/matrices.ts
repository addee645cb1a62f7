/** Matrices in float64 and plain loops: products, and Cholesky factors by their definition. */
import { dot, type Vector } from './forward';

/** Row by row. */
export type Matrix = readonly Vector[];

export const zeros = (rows: number, columns: number): Vector[] =>
  Array.from({ length: rows }, () => new Float64Array(columns));

/** Σ aᵀ b over pairs of rows: AᵀB for A (n, p) and B (n, q). */
export function transposedProduct(a: Matrix, b: Matrix, p: number, q: number): Vector[] {
  const sum = zeros(p, q);
  a.forEach((row, n) => row.forEach((value, i) => addScaled(sum[i], value, b[n])));
  return sum;
}

export const subtract = (a: Matrix, b: Matrix): Vector[] => a.map((row, i) => row.map((value, j) => value - b[i][j]));
export const diagonal = (a: Matrix): number[] => a.map((row, i) => row[i]);

/** Σ a ⊙ b. */
export const inner = (a: Matrix, b: Matrix): number => a.reduce((sum, row, i) => sum + dot(row, b[i]), 0);

/** Σ a². */
export const square = (a: Matrix): number => inner(a, a);

/** The lower triangle L with L Lᵀ = A, for a symmetric A. @throws Error if A is not positive definite */
export function choleskyFactor(a: Matrix): Vector[] {
  const l = zeros(a.length, a.length);
  for (let i = 0; i < a.length; i++) {
    for (let j = 0; j <= i; j++) {
      let product = 0;
      for (let k = 0; k < j; k++) product += l[i][k] * l[j][k];
      const rest = a[i][j] - product;
      if (i === j && !(rest > 0)) throw new Error(`not positive definite: ${rest} at ${i}`);
      l[i][j] = i === j ? Math.sqrt(rest) : rest / l[j][j];
    }
  }
  return l;
}

/** X with A X = B, for a symmetric positive definite A. @throws Error if it is not */
export function solveSymmetric(a: Matrix, b: Matrix): Vector[] {
  const l = choleskyFactor(a);
  const x = b.map((row) => row.slice());
  for (let i = 0; i < x.length; i++) {
    for (let j = 0; j < i; j++) addScaled(x[i], -l[i][j], x[j]);
    x[i] = x[i].map((value) => value / l[i][i]);
  }
  for (let i = x.length - 1; i >= 0; i--) {
    for (let j = i + 1; j < x.length; j++) addScaled(x[i], -l[j][i], x[j]);
    x[i] = x[i].map((value) => value / l[i][i]);
  }
  return x;
}

function addScaled(sum: Vector, factor: number, x: Vector): void {
  for (let i = 0; i < sum.length; i++) sum[i] += factor * x[i];
}
