/**
 * Divisors of a rotation's frequencies. LLaMA 3's scaling is stored as its result, one divisor for each pair of dimensions, and
 * not as the four numbers of a config. These can be found again: between the two wavelengths where the scaling begins and ends,
 * the share of the unscaled frequency is linear in the frequency.
 */
import type { Rope, RopeScaling } from '../architecture';
import { rotaryFrequencies } from '../frequencies';

/** Plain frequencies divided by the scaled ones, one for each pair. */
export function divisorsOf({ theta, scaling, turned }: Rope, headDim: number): readonly number[] {
  const scaled = rotaryFrequencies({ theta, scaling, turned }, headDim);
  const plain = rotaryFrequencies({ theta, scaling: { kind: 'default' }, turned }, headDim);
  return Array.from(plain, (frequency, pair) => frequency / scaled[pair]);
}

/** Float32 rounds a divisor by less than 6e-8 of it. */
const TOLERANCE = 2e-7;

/** Scaling by divisors of the frequencies: by LLaMA 3's rule if that gives them, and as they are if not. */
export function scalingOf(factors: readonly number[], theta: number): RopeScaling {
  if (factors.every((factor) => factor === 1)) return { kind: 'default' };
  return llama3Of(factors, theta) ?? { kind: 'factors', factors };
}

/** LLaMA's own upper limit, where too few pairs lie between the limits to tell it. */
const USUAL_HIGH = 4;

/**
 * Any multiple of the two limits, with the context to match, gives the same rule, so the lower limit is 1, as in LLaMA's own
 * configs.
 */
function llama3Of(factors: readonly number[], theta: number): RopeScaling | undefined {
  const factor = Math.max(...factors);
  const frequencies = factors.map((_, pair) => theta ** (-pair / factors.length));
  const limits = limitsOf(factors, frequencies, factor);
  if (!limits) return undefined;
  const highFreqFactor = nearWhole(limits.high);
  const originalContext = Math.round(limits.context);
  if (!(highFreqFactor > 1) || !(originalContext >= 1)) return undefined;
  const fits = frequencies.every((frequency, i) => {
    const turns = (originalContext * frequency) / (2 * Math.PI);
    const share = Math.min(1, Math.max(0, (turns - 1) / (highFreqFactor - 1)));
    return Math.abs(((1 - share) / factor + share) * factors[i] - 1) < TOLERANCE;
  });
  return fits ? { kind: 'llama3', factor, lowFreqFactor: 1, highFreqFactor, originalContext } : undefined;
}

/** Upper limit and context of the original training, from 1 / factor_i = (1 − s) / factor + s, s = (turns − 1) / (high − 1). */
function limitsOf(
  factors: readonly number[],
  frequencies: readonly number[],
  factor: number,
): { readonly high: number; readonly context: number } | undefined {
  const points = factors.flatMap((each, i) => {
    if (each === 1 || each === factor) return [];
    return [{ frequency: frequencies[i], share: (1 / each - 1 / factor) / (1 - 1 / factor) }];
  });
  const [first, last] = [points.at(0), points.at(-1)];
  if (!first || !last) return undefined;
  if (first === last) {
    const turns = first.share * (USUAL_HIGH - 1) + 1;
    return { high: USUAL_HIGH, context: (turns * 2 * Math.PI) / first.frequency };
  }
  const slope = (first.share - last.share) / (first.frequency - last.frequency);
  const high = 1 - 1 / (first.share - slope * first.frequency);
  return { high, context: slope * 2 * Math.PI * (high - 1) };
}

const nearWhole = (value: number): number => (Math.abs(value - Math.round(value)) < 1e-3 ? Math.round(value) : value);
