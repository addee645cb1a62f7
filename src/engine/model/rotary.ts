/** Cosines and sines of the rotary position embedding (Su et al. 2021), with the scaling kinds of Hugging Face configs. */
import { isDeepStrictEqual } from 'node:util';
import type { Architecture, LayerShape, Rope, RopeScaling, YarnScaling } from '../checkpoint/architecture';

/** Names of a rotation's two tables among a graph's inputs. */
export interface RotaryNames {
  readonly cos: string;
  readonly sin: string;
}

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

/** Numbers in a row of a layer's tables: pairs of a head that turn. */
export const pairsOf = ({ rope, headDim }: Pick<LayerShape, 'rope' | 'headDim'>): number =>
  (rope?.turned ?? headDim) / 2;

/**
 * Stands for all lengths of a sequence that give the rotation the same angles: 0 where the length does not matter.
 * A sequence that grows over such a bound has to be computed again.
 */
export function lengthClass({ layers }: Pick<Architecture, 'layers'>, length: number): number {
  return Math.max(0, ...layers.map(({ rope }) => (rope ? classOf(rope.scaling, length) : 0)));
}

function classOf(scaling: RopeScaling, length: number): number {
  if (scaling.kind === 'longrope') return length > scaling.originalContext ? scaling.originalContext + 1 : 0;
  return scaling.kind === 'dynamic' && length > scaling.context ? length : 0;
}

/** Factor of cosines and sines. */
export const magnitudeOf = ({ scaling }: Rope): number => ('magnitude' in scaling ? (scaling.magnitude ?? 1) : 1);

/**
 * cos and sin for `length` positions from `first` on, (length, pairs) each, row-major.
 * @param sequence tokens of the sequence that the positions are of; up to the last position when undefined
 */
export function rotaryTable(
  rope: Rope,
  headDim: number,
  length: number,
  { first = 0, sequence = first + length }: { readonly first?: number; readonly sequence?: number } = {},
): { cos: Float32Array<ArrayBuffer>; sin: Float32Array<ArrayBuffer> } {
  const frequencies = rotaryFrequencies(rope, headDim, sequence);
  const magnitude = magnitudeOf(rope);
  const half = frequencies.length;
  const cos = new Float32Array(length * half);
  const sin = new Float32Array(length * half);
  for (let position = 0; position < length; position++) {
    for (let j = 0; j < half; j++) {
      const angle = (first + position) * frequencies[j];
      cos[position * half + j] = magnitude * Math.cos(angle);
      sin[position * half + j] = magnitude * Math.sin(angle);
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
