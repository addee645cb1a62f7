/** Frequencies of the rotary position embedding (Su et al. 2021), with the scaling kinds of Hugging Face configs. */
import type { Rope, YarnScaling } from './architecture';

/**
 * Angular frequency of each pair of dimensions, (turned entries / 2), in radians per position. `linear` stretches positions by
 * its factor. `llama3` and `yarn` stretch only slow pairs and interpolate in between.
 * @param length tokens of the sequence, on which `dynamic` and `longrope` depend; a short one when undefined
 */
export function rotaryFrequencies({ theta, scaling, turned }: Rope, headDim: number, length = 0): Float64Array {
  const entries = turned ?? headDim;
  const plain = Float64Array.from({ length: entries / 2 }, (_, j) => theta ** ((-2 * j) / entries));
  switch (scaling.kind) {
    case 'default':
      return plain;
    case 'linear':
      return plain.map((frequency) => frequency / scaling.factor);
    case 'factors':
      return plain.map((frequency, j) => frequency / scaling.factors[j]);
    case 'longrope': {
      const factors = length > scaling.originalContext ? scaling.long : scaling.short;
      return plain.map((frequency, j) => frequency / factors[j]);
    }
    case 'llama3': {
      const { factor, lowFreqFactor, highFreqFactor, originalContext } = scaling;
      return plain.map((frequency) => {
        const turns = (originalContext * frequency) / (2 * Math.PI); // over the context of the original training
        const kept = between0And1((turns - lowFreqFactor) / (highFreqFactor - lowFreqFactor));
        return (1 - kept) * (frequency / factor) + kept * frequency;
      });
    }
    case 'yarn':
      return yarnFrequencies(plain, theta, scaling);
    case 'dynamic': {
      const { factor, context } = scaling;
      const growth = (factor * Math.max(length, context)) / context - (factor - 1);
      const base = theta * growth ** (entries / (entries - 2));
      return plain.map((_, j) => base ** ((-2 * j) / entries));
    }
  }
}

/** The pair that turns `beta` times within the original context is number entries · ln(context / 2πβ) / (2 ln θ). */
function yarnFrequencies(plain: Float64Array, theta: number, scaling: YarnScaling): Float64Array {
  const { factor, originalContext, betaFast, betaSlow, truncate } = scaling;
  const entries = 2 * plain.length;
  const pairOf = (beta: number): number =>
    (entries * Math.log(originalContext / (beta * 2 * Math.PI))) / (2 * Math.log(theta));
  const [low, high] = truncate
    ? [Math.floor(pairOf(betaFast)), Math.ceil(pairOf(betaSlow))]
    : [pairOf(betaFast), pairOf(betaSlow)];
  const first = Math.max(low, 0);
  const last = Math.min(high, entries - 1); // the original counts entries here, not pairs
  return plain.map((frequency, j) => {
    const stretched = between0And1((j - first) / (last - first || 0.001));
    return frequency * (1 - stretched) + (frequency / factor) * stretched;
  });
}

const between0And1 = (x: number): number => Math.min(1, Math.max(0, x));

/** Factor of cosines and sines. */
export const magnitudeOf = ({ scaling }: Rope): number => ('magnitude' in scaling ? (scaling.magnitude ?? 1) : 1);
