/**
 * The scaling of a rotation in a GGUF file. llama.cpp multiplies cosines and sines by `rope.scaling.attn_factor` whatever the
 * kind; yarn has a factor of its own beside it.
 */
import { printable } from '../../formats/bounded-json';
import type { GgufField } from '../../formats/gguf/layout';
import { f32, text, u32 } from '../../formats/gguf/values';
import { MAX_DIMENSION } from '../../formats/limits';
import type { Rope, RopeScaling, YarnScaling } from '../architecture';
import { longRopeMagnitude } from '../rope';
import type { Unsupported } from '../types';
import { cannotWrite } from './cannot';
import type { Dialect } from './dialects/dialect';
import { divisorsOf, scalingOf } from './divisors';
import { type GgufFields, shortest } from './fields';
import { ROPE_FACTORS, ROPE_FACTORS_LONG, ROPE_FACTORS_SHORT } from './names';

const TYPE = 'rope.scaling.type';
const FACTOR = 'rope.scaling.factor';
const ORIGINAL = 'rope.scaling.original_context_length';

/** Bounds of yarn's interpolation, which no field changes in these architectures. */
const YARN_BOUNDS = { betaFast: 32, betaSlow: 1, truncate: true } as const;

/** Yarn's factor of cosines and sines, which llama.cpp takes by itself. */
export const yarnMagnitude = (factor: number): number => (factor <= 1 ? 1 : 1 + 0.1 * Math.log(factor));

/** @param factors divisors of the frequencies by the names of their tensors */
export function readScaling(
  fields: GgufFields,
  { name, rotation = {} }: Dialect,
  factors: ReadonlyMap<string, readonly number[]>,
  theta: number,
): RopeScaling | Unsupported {
  const kind = fields.text(fields.key(TYPE)) ?? 'linear';
  const isOnly = rotation.longrope === 'only';
  const [own, long, short] = [ROPE_FACTORS, ROPE_FACTORS_LONG, ROPE_FACTORS_SHORT].map((each) => factors.get(each));
  if (long || short || kind === 'longrope') {
    const isRead = rotation.longrope && (kind === 'longrope' || isOnly) && kind !== 'yarn';
    if (!long || !short || own || !isRead) return unsupported('its rotation is scaled by "longrope", in part only');
    const lists = { short: short.map(shortest), long: long.map(shortest) };
    const original = originalContext(fields);
    // Its logarithm is a divisor.
    if (original === 1) throw fields.bad(fields.key(ORIGINAL), 'a context of 1 token is too short for longrope');
    return { kind: 'longrope', ...lists, originalContext: original, magnitude: 1 };
  }
  if (own && !rotation.factors) return unsupported(`its rotation has divisors, which ${name} does not read`);
  if (own && kind === 'yarn') return unsupported('its rotation is scaled by "yarn" and by divisors');
  if (own) return scalingOf(own, theta);
  if (kind === 'none') return { kind: 'default' };
  const factor = fields.number(fields.has(FACTOR) ? FACTOR : 'rope.scale_linear', 1);
  if (kind === 'linear') return factor === 1 ? { kind: 'default' } : { kind: 'linear', factor };
  if (kind !== 'yarn' || isOnly) return unsupported(`its rotation is scaled by "${printable(kind, 40)}"`);
  return { kind, factor, originalContext: originalContext(fields), ...YARN_BOUNDS, magnitude: yarnMagnitude(factor) };
}

export const unsupported = (why: string): Unsupported => ({ why, action: 'The file can be inspected.' });

/** The scaling with the file's factor of cosines and sines; undefined for a kind that has none. */
export function withFactor(fields: GgufFields, scaling: RopeScaling, factor: number): RopeScaling | undefined {
  switch (scaling.kind) {
    case 'longrope': {
      // Float32 stands for the usual factor.
      const original = scaling.originalContext;
      const usual = longRopeMagnitude(fields.count('context_length', MAX_DIMENSION.context) / original, original);
      return { ...scaling, magnitude: Math.abs(factor / usual - 1) < 1e-6 ? usual : factor };
    }
    case 'yarn':
      return { ...scaling, magnitude: scaling.magnitude * factor };
    case 'factors':
      return factor === 1 ? scaling : { ...scaling, magnitude: factor };
    default:
      return undefined;
  }
}

const originalContext = (fields: GgufFields): number =>
  fields.count(ORIGINAL, MAX_DIMENSION.context, fields.count('context_length', MAX_DIMENSION.context));

/** What llama.cpp reads for other architectures only, with the value that it takes here. */
const IGNORED: Readonly<Record<string, number>> = {
  yarn_beta_fast: YARN_BOUNDS.betaFast,
  yarn_beta_slow: YARN_BOUNDS.betaSlow,
  yarn_attn_factor: 1,
  yarn_ext_factor: 1,
};

export function yarnNotes(fields: GgufFields): string[] {
  return Object.entries(IGNORED).flatMap(([field, taken]) => {
    const key = fields.key(`rope.scaling.${field}`);
    const value = fields.optional(key);
    if (typeof value !== 'number' || value === taken) return [];
    return [`${key} is ${value}; llama.cpp takes ${taken} for this architecture, and so does Coppice`];
  });
}

/** What a file says of a scaling. */
export interface WrittenScaling {
  /** Without the name of the architecture. */
  readonly fields?: readonly GgufField[];
  /** Divisors of the frequencies, one for each pair, by the names of their tensors. */
  readonly factors?: Readonly<Record<string, readonly number[]>>;
  readonly notes?: readonly string[];
  /** The factor of cosines and sines that llama.cpp takes by itself. */
  readonly magnitude?: number;
}

/** @throws UserError for a kind of scaling that the dialect does not have */
export function writeScaling({ name, rotation = {} }: Dialect, rope: Rope, headDim: number): WrittenScaling {
  const { scaling } = rope;
  const unknown = (kind: string): Error =>
    cannotWrite(`its rotation is scaled by ${kind}, which llama.cpp does not have in its architecture ${name}`);
  const divided = (kind: string): WrittenScaling => {
    if (!rotation.factors) throw unknown(kind);
    return { factors: { [ROPE_FACTORS]: divisorsOf(rope, headDim) } };
  };
  switch (scaling.kind) {
    case 'default':
      return {};
    case 'linear':
      return { fields: named('linear', scaling.factor) };
    case 'llama3':
      return divided('LLaMA 3’s rule');
    case 'factors':
      return divided('a number for each pair');
    case 'yarn':
      if (!hasUsualBounds(scaling)) return divided('yarn with bounds of its own');
      return {
        fields: [...named('yarn', scaling.factor), [ORIGINAL, u32(scaling.originalContext)]],
        magnitude: yarnMagnitude(scaling.factor),
      };
    case 'longrope': {
      if (!rotation.longrope) throw unknown('longrope');
      const { originalContext: original, long, short } = scaling;
      return {
        fields: [
          ...(rotation.longrope === 'only' ? [] : [[TYPE, text('longrope')] as const]),
          [ORIGINAL, u32(original)],
        ],
        factors: { [ROPE_FACTORS_LONG]: long, [ROPE_FACTORS_SHORT]: short },
        notes: [
          `its rotation has other frequencies for texts of more than ${original} tokens; llama.cpp takes them where ` +
            `its context (-c) is larger than that, however short the text, so short texts need -c ${original}`,
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

const named = (type: string, factor: number): readonly GgufField[] => [
  [TYPE, text(type)],
  [FACTOR, f32(factor)],
];

const hasUsualBounds = ({ betaFast, betaSlow, truncate }: YarnScaling): boolean =>
  betaFast === YARN_BOUNDS.betaFast && betaSlow === YARN_BOUNDS.betaSlow && truncate === YARN_BOUNDS.truncate;
