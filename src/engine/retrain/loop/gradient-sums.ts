/** Sums of gradients over micro-batches. */

/** By parameter. */
export type GradientSums = Map<string, Float32Array>;

/** Adds a gradient to the sum of its parameter; the first one is copied. */
export function addGradient(sums: GradientSums, name: string, gradient: Float32Array): void {
  const sum = sums.get(name);
  if (!sum) sums.set(name, gradient.slice());
  else addInto(sum, gradient);
}

/** sum += gradient. */
export function addInto(sum: Float32Array, gradient: Float32Array): void {
  for (let i = 0; i < sum.length; i++) sum[i] += gradient[i];
}
