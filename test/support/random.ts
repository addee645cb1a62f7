/** Seeded random numbers for tests: the same on every machine. */

/** Uniform in [0, 1), from one 32-bit state stepped by a Weyl sequence and mixed by two multiplications. */
export function uniform(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x9e3779b9) >>> 0;
    let x = state;
    x = Math.imul(x ^ (x >>> 16), 0x21f0aaad);
    x = Math.imul(x ^ (x >>> 15), 0x735a2d97);
    return ((x ^ (x >>> 15)) >>> 0) / 2 ** 32;
  };
}

/** Standard normal numbers (Box–Muller). */
export function normal(seed: number): () => number {
  const next = uniform(seed);
  return () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next());
}

/** Rows of token ids in [0, vocabulary). */
export function randomRows(count: number, length: number, vocabulary: number, seed: number): number[][] {
  const next = uniform(seed);
  return Array.from({ length: count }, () => Array.from({ length }, () => Math.floor(next() * vocabulary)));
}
