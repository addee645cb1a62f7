/** Cosines and sines of the rotary position embedding (Su et al. 2021), with the scaling kinds of Hugging Face configs. */
import { isDeepStrictEqual } from 'node:util';
import type { Architecture, LayerShape, Rope } from '../checkpoint/architecture';

/** Names of a rotation's two tables among a graph's inputs. */
export interface RotaryNames {
  readonly cos: string;
  readonly sin: string;
}

/**
 * Angular frequency of each pair of dimensions, (headDim / 2), in radians per position. `linear` stretches positions by
 * its factor. `llama3` stretches only slow pairs and interpolates in between.
 */
export function rotaryFrequencies({ theta, scaling }: Rope, headDim: number): Float64Array {
  return Float64Array.from({ length: headDim / 2 }, (_, j) => {
    const frequency = theta ** ((-2 * j) / headDim);
    switch (scaling.kind) {
      case 'default':
        return frequency;
      case 'linear':
        return frequency / scaling.factor;
      case 'llama3': {
        const { factor, lowFreqFactor, highFreqFactor, originalContext } = scaling;
        const turns = (originalContext * frequency) / (2 * Math.PI); // over the context of the original training
        const blend = (turns - lowFreqFactor) / (highFreqFactor - lowFreqFactor);
        const kept = Math.min(1, Math.max(0, blend));
        return (1 - kept) * (frequency / factor) + kept * frequency;
      }
      case 'factors':
        return frequency / scaling.factors[j];
    }
  });
}

/** cos and sin for `length` positions from `first` on, (length, headDim / 2) each, row-major. */
export function rotaryTable(
  rope: Rope,
  headDim: number,
  length: number,
  first = 0,
): { cos: Float32Array<ArrayBuffer>; sin: Float32Array<ArrayBuffer> } {
  const frequencies = rotaryFrequencies(rope, headDim);
  const half = frequencies.length;
  const cos = new Float32Array(length * half);
  const sin = new Float32Array(length * half);
  for (let position = 0; position < length; position++) {
    for (let j = 0; j < half; j++) {
      const angle = (first + position) * frequencies[j];
      cos[position * half + j] = Math.cos(angle);
      sin[position * half + j] = Math.sin(angle);
    }
  }
  return { cos, sin };
}

/** Whether two layers can share a rotation's tables. */
function rotatesAlike(a: LayerShape, b: LayerShape): boolean {
  return a.headDim === b.headDim && (a.rope === b.rope || isDeepStrictEqual(a.rope, b.rope));
}

/**
 * Names of the tables of some steps in a graph of their own; the first steps with a rotation give it their number. Undefined
 * for a step without rotation.
 */
export function tableNames(
  { layers }: Architecture,
  steps: readonly { readonly block: number }[],
): (RotaryNames | undefined)[] {
  return steps.map(({ block }) => {
    if (!layers[block].rope) return undefined;
    const first = steps.findIndex((each) => rotatesAlike(layers[each.block], layers[block]));
    return { cos: `cos${first}`, sin: `sin${first}` };
  });
}

/**
 * Names of block `layer`'s tables in a graph of several blocks: those of the first block with the same rotation.
 * Undefined for a block without rotation.
 */
export function rotaryNames({ layers }: Architecture, layer: number): RotaryNames | undefined {
  if (!layers[layer].rope) return undefined;
  const first = layers.findIndex((each) => rotatesAlike(each, layers[layer]));
  return { cos: `cos${first}`, sin: `sin${first}` };
}
