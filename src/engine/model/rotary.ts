/** Cosines and sines of the rotary position embedding (Su et al. 2021). */
import { isDeepStrictEqual } from 'node:util';
import type { Architecture, LayerShape, Rope, RopeScaling } from '../checkpoint/architecture';
import type { AttentionMixer } from '../checkpoint/kinds/attention';
import { attentionIn, ropeOf } from '../checkpoint/kinds/parts';
import { magnitudeOf, rotaryFrequencies } from '../checkpoint/frequencies';

/** Names of a rotation's two tables among a graph's inputs. */
export interface RotaryNames {
  readonly cos: string;
  readonly sin: string;
}

/** Numbers in a row of a layer's tables: pairs of a head that turn. */
export const pairsOf = ({ rope, headDim }: Pick<AttentionMixer, 'rope' | 'headDim'>): number =>
  (rope?.turned ?? headDim) / 2;

/**
 * Stands for all lengths of a sequence that give the rotation the same angles: 0 where the length does not matter.
 * A sequence that grows over such a bound has to be computed again.
 */
export function lengthClass({ layers }: Pick<Architecture, 'layers'>, length: number): number {
  return Math.max(0, ...layers.map(ropeOf).map((rope) => (rope ? classOf(rope.scaling, length) : 0)));
}

function classOf(scaling: RopeScaling, length: number): number {
  if (scaling.kind === 'longrope') return length > scaling.originalContext ? scaling.originalContext + 1 : 0;
  return scaling.kind === 'dynamic' && length > scaling.context ? length : 0;
}

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
  const [one, other] = [attentionIn(a), attentionIn(b)];
  if (!one || one.headDim !== other?.headDim) return false;
  return one.rope === other.rope || isDeepStrictEqual(one.rope, other.rope);
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
    if (!ropeOf(layers[block])) return undefined;
    const first = steps.findIndex((each) => rotatesAlike(layers[each.block], layers[block]));
    return { cos: `cos${first}`, sin: `sin${first}` };
  });
}

/**
 * Names of block `layer`'s tables in a graph of several blocks: those of the first block with the same rotation.
 * Undefined for a block without rotation.
 */
export function rotaryNames({ layers }: Architecture, layer: number): RotaryNames | undefined {
  if (!ropeOf(layers[layer])) return undefined;
  const first = layers.findIndex((each) => rotatesAlike(each, layers[layer]));
  return { cos: `cos${first}`, sin: `sin${first}` };
}
