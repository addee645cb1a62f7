/**
 * The rotation of a model in a GGUF file. llama.cpp multiplies cosines and sines by one factor (`rope.scaling.attn_factor`)
 * whatever the kind of scaling. So the factor also scales the scores, by its square, where no other field can.
 */
import type { Rope, YarnScaling } from '../../checkpoint/architecture';
import { ROPE_FACTORS, ROPE_FACTORS_LONG, ROPE_FACTORS_SHORT } from '../../checkpoint/gguf/names';
import type { GgufField } from '../../formats/gguf/layout';
import { magnitudeOf, rotaryFrequencies } from '../../model/rotary';
import { cannotWrite } from './cannot';
import { CAPABILITIES, type GgufArchitecture, YARN_BOUNDS } from '../../checkpoint/gguf/capabilities';
import { f32, text, u32 } from './metadata';

/** What a file says of a rotation. */
export interface Rotation {
  /** Without the name of the architecture. */
  readonly fields: readonly GgufField[];
  /** Divisors of the frequencies, one for each pair, by the names of their tensors. */
  readonly factors: ReadonlyMap<string, readonly number[]>;
  readonly notes: readonly string[];
}

interface Kind {
  readonly fields?: readonly GgufField[];
  readonly factors?: Readonly<Record<string, readonly number[]>>;
  readonly notes?: readonly string[];
  /** The factor of cosines and sines that llama.cpp multiplies by by itself. */
  readonly magnitude?: number;
}

/** Float32 has no finer numbers. */
const ROUNDING = 1e-7;

/**
 * @param scores what the scores are to be multiplied by in addition
 * @throws UserError for a kind of scaling that the architecture does not have
 */
export function rotationOf(name: GgufArchitecture, rope: Rope, headDim: number, scores = 1): Rotation {
  const { fields = [], factors = {}, notes = [], magnitude = 1 } = kindOf(name, rope, headDim);
  const factor = (magnitudeOf(rope) / magnitude) * Math.sqrt(scores);
  const said = Math.abs(factor - 1) > ROUNDING ? [['rope.scaling.attn_factor', f32(factor)] as const] : [];
  return { fields: [...fields, ...said], factors: new Map(Object.entries(factors)), notes };
}

/** Whether the factor of cosines and sines is the one that llama.cpp takes by itself. */
export const hasUsualMagnitude = (rope: Rope): boolean =>
  Math.abs(magnitudeOf(rope) / (rope.scaling.kind === 'yarn' ? yarnMagnitude(rope.scaling) : 1) - 1) <= ROUNDING;

function kindOf(name: GgufArchitecture, rope: Rope, headDim: number): Kind {
  const { scaling } = rope;
  const can = CAPABILITIES[name];
  const unknown = (kind: string): Error =>
    cannotWrite(`its rotation is scaled by ${kind}, which llama.cpp does not have in its architecture ${name}`);
  const divided = (kind: string): Kind => {
    if (!can.factors) throw unknown(kind);
    return { factors: { [ROPE_FACTORS]: divisorsOf(rope, headDim) } };
  };
  switch (scaling.kind) {
    case 'default':
      return {};
    case 'linear':
      return { fields: scalingFields('linear', scaling.factor) };
    case 'llama3':
      return divided('LLaMA 3’s rule');
    case 'factors':
      return divided('a number for each pair');
    case 'yarn':
      return isUsualYarn(scaling) ? yarn(scaling) : divided('yarn with bounds of its own');
    case 'longrope': {
      if (!can.longrope) throw unknown('longrope');
      const { originalContext, long, short } = scaling;
      return {
        fields: [
          // Phi-3's files do not name the kind.
          ...(name === 'phi3' ? [] : [['rope.scaling.type', text('longrope')] as const]),
          ['rope.scaling.original_context_length', u32(originalContext)],
        ],
        factors: { [ROPE_FACTORS_LONG]: long, [ROPE_FACTORS_SHORT]: short },
        notes: [
          `its rotation has other frequencies for texts of more than ${originalContext} tokens; llama.cpp takes them where ` +
            `its context (-c) is larger than that, however short the text, so short texts need -c ${originalContext}`,
        ],
      };
    }
    case 'dynamic':
      return {
        notes: [
          `its rotation grows with the text from ${scaling.context} tokens on, which a GGUF file cannot say: ` +
            `texts of more than ${scaling.context} tokens get other numbers in llama.cpp`,
        ],
      };
  }
}

const scalingFields = (type: string, factor: number): readonly GgufField[] => [
  ['rope.scaling.type', text(type)],
  ['rope.scaling.factor', f32(factor)],
];

function isUsualYarn(scaling: YarnScaling): boolean {
  const { betaFast, betaSlow, truncate } = YARN_BOUNDS;
  return scaling.betaFast === betaFast && scaling.betaSlow === betaSlow && scaling.truncate === truncate;
}

function yarn(scaling: YarnScaling): Kind {
  const original = ['rope.scaling.original_context_length', u32(scaling.originalContext)] as const;
  return { fields: [...scalingFields('yarn', scaling.factor), original], magnitude: yarnMagnitude(scaling) };
}

const yarnMagnitude = ({ factor }: YarnScaling): number => (factor <= 1 ? 1 : 1 + 0.1 * Math.log(factor));

/** Plain frequencies divided by the scaled ones. */
function divisorsOf({ theta, scaling, turned }: Rope, headDim: number): readonly number[] {
  const scaled = rotaryFrequencies({ theta, scaling, turned }, headDim);
  return Array.from(
    rotaryFrequencies({ theta, scaling: { kind: 'default' }, turned }, headDim),
    (f, i) => f / scaled[i],
  );
}
