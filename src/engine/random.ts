/**
 * The only source of pseudo-randomness: xoshiro128** 1.1 (Blackman and Vigna, "Scrambled linear pseudorandom number
 * generators", 2021), 128 bits of state in four 32-bit words, period 2^128 − 1. A seed is spread over the state by
 * splitmix32 (Weyl sequence of 0x9e3779b9 through the finaliser of MurmurHash3), so similar seeds give unrelated
 * streams. Every draw is integer arithmetic: the same seed gives the same numbers on every machine.
 */
export class Random {
  private readonly state: Uint32Array;

  /** `seed`: an integer, 0 … 2^53 − 1, or the four words of a state that are not all zero. */
  constructor(seed: number | readonly [number, number, number, number]) {
    if (typeof seed !== 'number') {
      this.state = Uint32Array.from(seed);
    } else {
      if (!Number.isSafeInteger(seed) || seed < 0)
        throw new RangeError(`seed ${seed} is not an integer from 0 to 2^53 - 1`);
      this.state = spread(seed);
    }
  }

  /** Uniform integer, 0 … 2^32 − 1. */
  uint32(): number {
    const s = this.state;
    const result = Math.imul(rotateLeft(Math.imul(s[1], 5), 7), 9) >>> 0;
    const shifted = s[1] << 9;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= shifted;
    s[3] = rotateLeft(s[3], 11);
    return result;
  }

  /** Uniform in [0, 1), with all 53 bits of a float64. */
  uniform(): number {
    const high = this.uint32() >>> 5;
    const low = this.uint32() >>> 6;
    return (high * 2 ** 26 + low) / 2 ** 53;
  }

  /** Uniform integer, 0 … n − 1, for 1 ≤ n ≤ 2^32. Rejects the tail, which would favour small numbers. */
  below(n: number): number {
    if (!Number.isInteger(n) || n < 1 || n > 2 ** 32) throw new RangeError(`cannot draw an integer below ${n}`);
    const limit = 2 ** 32 - (2 ** 32 % n);
    let draw = this.uint32();
    while (draw >= limit) draw = this.uint32();
    return draw % n;
  }

  /** Standard normal (Box–Muller, one of each pair). */
  normal(): number {
    const radius = Math.sqrt(-2 * Math.log(1 - this.uniform()));
    return radius * Math.cos(2 * Math.PI * this.uniform());
  }

  /** Shuffles `items` in place (Fisher–Yates, from the end) and returns them. */
  shuffle<T>(items: T[]): T[] {
    for (let last = items.length - 1; last > 0; last--) {
      const other = this.below(last + 1);
      [items[last], items[other]] = [items[other], items[last]];
    }
    return items;
  }
}

/**
 * u(·, k)[i] = ((i · 2654435761 + k · 40503 + 12345) mod 2³²) / 2³¹ − 1: the same numbers in [−1, 1) in every program,
 * for starts and checks that others can repeat.
 */
export const formulaNumber = (i: number, k: number): number =>
  ((Math.imul(i, 2654435761) + Math.imul(k, 40503) + 12345) >>> 0) / 2 ** 31 - 1;

function rotateLeft(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits));
}

/** Four words of state from the low and the high half of the seed, by splitmix32. */
function spread(seed: number): Uint32Array {
  const low = seed >>> 0;
  const high = Math.floor(seed / 2 ** 32);
  let weyl = low ^ Math.imul(high, 0x85ebca6b);
  return Uint32Array.from({ length: 4 }, () => {
    weyl = (weyl + 0x9e3779b9) | 0;
    let z = Math.imul(weyl ^ (weyl >>> 16), 0x85ebca6b);
    z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35);
    return (z ^ (z >>> 16)) >>> 0;
  });
}
