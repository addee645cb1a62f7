/** Gradients measured: central differences of a function of float64 numbers. */

/** (f(x + ε) − f(x − ε)) / 2ε. In float64 this ε leaves about eight digits for functions of the order of 1. */
const EPSILON = 1e-4;

/** ∂f/∂x for every element of `x`, which `f` reads; `x` is moved a little and put back. */
export function centralDifferences(f: () => number, x: Float64Array): Float64Array {
  return x.map((_, i) => derivative(f, x, i));
}

function derivative(f: () => number, x: Float64Array, i: number): number {
  const at = x[i];
  x[i] = at + EPSILON;
  const above = f();
  x[i] = at - EPSILON;
  const below = f();
  x[i] = at;
  return (above - below) / (2 * EPSILON);
}

/**
 * Some random directions over `count` numbers, of length 1; the axes themselves where those are not more. With few of them every
 * number takes part in every measurement, so what is wrong anywhere changes them all.
 */
export function directions(count: number, most: number, next: () => number): Float64Array[] {
  if (count <= most)
    return Array.from({ length: count }, (_, i) => Float64Array.from({ length: count }, (_, j) => Number(i === j)));
  return Array.from({ length: most }, () => {
    const direction = Float64Array.from({ length: count }, next);
    const length = Math.sqrt(dot(direction, direction));
    return direction.map((value) => value / length);
  });
}

/** The derivative of f along `direction`: one number, for when there are too many to take each by itself. */
export function directionalDerivative(f: () => number, x: Float64Array, direction: ArrayLike<number>): number {
  const at = Float64Array.from(x);
  const move = (factor: number): number => {
    for (let i = 0; i < x.length; i++) x[i] = at[i] + factor * direction[i];
    return f();
  };
  const [above, below] = [move(EPSILON), move(-EPSILON)];
  x.set(at);
  return (above - below) / (2 * EPSILON);
}

/** Σ a ⊙ b in float64. */
export function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}
