/** Cosines and sines of the rotary position embedding (Su et al. 2021), with the scaling kinds of Hugging Face configs. */
import type { Architecture } from '../checkpoint/architecture';

/**
 * Angular frequency of each pair of dimensions, (headDim / 2), in radians per position.
 * `linear` stretches positions by its factor; `llama3` stretches slow pairs only and blends in between.
 */
export function rotaryFrequencies({ headDim, rope }: Pick<Architecture, 'headDim' | 'rope'>): Float64Array {
  const { theta, scaling } = rope;
  return Float64Array.from({ length: headDim / 2 }, (_, j) => {
    const frequency = theta ** ((-2 * j) / headDim);
    switch (scaling.kind) {
      case 'default':
        return frequency;
      case 'linear':
        return frequency / scaling.factor;
      case 'llama3': {
        const { factor, lowFreqFactor, highFreqFactor, originalContext } = scaling;
        const turns = (originalContext * frequency) / (2 * Math.PI); // over the context that the model was trained on
        const blend = (turns - lowFreqFactor) / (highFreqFactor - lowFreqFactor);
        const kept = Math.min(1, Math.max(0, blend));
        return (1 - kept) * (frequency / factor) + kept * frequency;
      }
    }
  });
}

/** cos and sin for positions 0 … length − 1, (length, headDim / 2) each, row-major. */
export function rotaryTable(architecture: Architecture, length: number): { cos: Float32Array; sin: Float32Array } {
  const frequencies = rotaryFrequencies(architecture);
  const half = frequencies.length;
  const cos = new Float32Array(length * half);
  const sin = new Float32Array(length * half);
  for (let position = 0; position < length; position++) {
    for (let j = 0; j < half; j++) {
      cos[position * half + j] = Math.cos(position * frequencies[j]);
      sin[position * half + j] = Math.sin(position * frequencies[j]);
    }
  }
  return { cos, sin };
}
