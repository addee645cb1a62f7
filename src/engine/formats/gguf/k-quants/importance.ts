/** Weights of errors by the importance of columns: the mean square of what each column is multiplied with when the model runs. */
import type { Steps } from './fits';
import type { Weigh } from './searches';

const { fround: f, sqrt } = Math;

/** The search of all types with minimums, where columns have an importance. */
export const IMPORTANT: Steps = { first: f(-0.9), step: f(0.05), last: 36, byMagnitude: false };

/** The mean of the squares, in float32. */
export function meanSquare(values: Float32Array): number {
  let squares = 0;
  for (const value of values) squares = f(squares + f(value * value));
  return f(squares / values.length);
}

/** A number weighs by its column, and by its own size beside that of all: importance · √(typical + number²). */
export const byImportance =
  (values: Float32Array, importance: Float32Array, size: number, typical: number): Weigh =>
  (at, weights) => {
    for (let i = 0; i < size; i++) {
      const value = values[at + i];
      weights[i] = f(importance[at + i] * f(sqrt(f(typical + f(value * value)))));
    }
  };
