/**
 * The rotation by the metadata of a GGUF file. llama.cpp multiplies cosines and sines by `rope.scaling.attn_factor`. Where yarn and
 * longrope do not account for it, the scores are greater by its square.
 */
import { printable } from '../../formats/bounded-json';
import { MAX_DIMENSION } from '../../formats/limits';
import type { Rope, RopeScaling } from '../architecture';
import type { Unsupported } from '../types';
import { CAPABILITIES, type GgufArchitecture, NO_ROPE_PERIOD, YARN_BOUNDS } from './capabilities';
import { type GgufFields, shortest } from './fields';
import { ROPE_FACTORS, ROPE_FACTORS_LONG, ROPE_FACTORS_SHORT } from './names';
import { longRopeMagnitude } from '../rope';
import { scalingOf } from './rope';

/** The rotation of each block, and what cosines multiply the scores by. */
export interface Rotations {
  readonly ropes: readonly (Rope | null)[];
  readonly scores: number;
  readonly notes: readonly string[];
}

interface Rotated {
  readonly name: GgufArchitecture;
  readonly headDim: number;
  /** One for each block; Gemma 3 turns blocks with a window otherwise. */
  readonly windows: readonly (number | null)[];
  /** Divisors of the frequencies by the names of their tensors. */
  readonly factors: ReadonlyMap<string, readonly number[]>;
}

/** @throws UserError for a number that is missing or impossible */
export function rotationsOf(fields: GgufFields, rotated: Rotated): Rotations | Unsupported {
  const { name, headDim, windows } = rotated;
  const turned = turnedOf(fields, name, headDim);
  if (typeof turned !== 'number') return turned;
  const theta = fields.number('rope.freq_base', 10_000);
  const scaling = scalingIn(fields, rotated, theta);
  if ('why' in scaling) return scaling;
  const factor = fields.number('rope.scaling.attn_factor', 1);
  const scaled = isOfScores(name) ? undefined : withFactor(fields, scaling, factor);
  const global = {
    theta,
    scaling: scaled ?? scaling,
    ...(turned !== headDim && { turned }),
  };
  const scores = scaled ? 1 : factor ** 2;
  const ropes = windows.map((window, block) => {
    if (name === 'smollm3' && (block + 1) % NO_ROPE_PERIOD === 0) return null;
    if (name !== 'gemma3' || window === null) return global;
    return { theta: fields.number('rope.freq_base_swa', 10_000), scaling: { kind: 'default' } } as const;
  });
  if (scores !== 1 && (turned !== headDim || ropes.includes(null))) {
    return unsupported(`${fields.key('rope.scaling.attn_factor')} is ${factor}, and a part of it is not rotated`);
  }
  return { ropes, scores, notes: scaling.kind === 'yarn' ? yarnNotes(fields) : [] };
}

const unsupported = (why: string): Unsupported => ({ why, action: 'The file can be inspected.' });

/** Gemma 2 and 3 have factors of the scores of their own; the file says them by the size of cosines. */
const isOfScores = (name: GgufArchitecture): boolean => name === 'gemma2' || name === 'gemma3';

/** Entries of a head that turn. */
function turnedOf(fields: GgufFields, name: GgufArchitecture, headDim: number): number | Unsupported {
  if (headDim % 2 !== 0)
    throw fields.bad(fields.key('attention.key_length'), `a head of ${headDim} is not rotated in pairs`);
  const width = fields.count('attention.value_length', MAX_DIMENSION.headDim, headDim);
  if (width !== headDim) return unsupported(`its values have ${width} numbers a head, and its keys ${headDim}`);
  const turned = fields.count('rope.dimension_count', MAX_DIMENSION.headDim, headDim);
  if (turned === headDim) return turned;
  if (name !== 'phi3' || turned > headDim || turned % 2 !== 0) {
    return unsupported(`only ${turned} of the ${headDim} numbers of a head are rotated`);
  }
  return turned;
}

function scalingIn(fields: GgufFields, { name, factors }: Rotated, theta: number): RopeScaling | Unsupported {
  const kind = fields.text(fields.key('rope.scaling.type')) ?? 'linear';
  const [own, long, short] = [ROPE_FACTORS, ROPE_FACTORS_LONG, ROPE_FACTORS_SHORT].map((each) => factors.get(each));
  if (long || short || kind === 'longrope') {
    const isRead = CAPABILITIES[name].longrope && (kind === 'longrope' || name === 'phi3') && kind !== 'yarn';
    if (!long || !short || own || !isRead) return unsupported('its rotation is scaled by "longrope", in part only');
    const lists = { short: short.map(shortest), long: long.map(shortest) };
    const original = originalContext(fields);
    // Its logarithm is a divisor.
    if (original === 1)
      throw fields.bad(
        fields.key('rope.scaling.original_context_length'),
        'a context of 1 token is too short for longrope',
      );
    return { kind: 'longrope', ...lists, originalContext: original, magnitude: 1 };
  }
  if (own && !CAPABILITIES[name].factors) return unsupported(`its rotation has divisors, which ${name} does not read`);
  if (own && kind === 'yarn') return unsupported('its rotation is scaled by "yarn" and by divisors');
  if (own) return scalingOf(own, theta);
  if (kind === 'none') return { kind: 'default' };
  const factor = fields.number(fields.has('rope.scaling.factor') ? 'rope.scaling.factor' : 'rope.scale_linear', 1);
  if (kind === 'linear') return factor === 1 ? { kind: 'default' } : { kind: 'linear', factor };
  if (kind !== 'yarn' || name === 'phi3') return unsupported(`its rotation is scaled by "${printable(kind, 40)}"`);
  const magnitude = factor <= 1 ? 1 : 0.1 * Math.log(factor) + 1;
  return { kind, factor, originalContext: originalContext(fields), ...YARN_BOUNDS, magnitude };
}

/** The scaling with the file's factor of cosines and sines; undefined for a kind that has none. */
function withFactor(fields: GgufFields, scaling: RopeScaling, factor: number): RopeScaling | undefined {
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
  fields.count(
    'rope.scaling.original_context_length',
    MAX_DIMENSION.context,
    fields.count('context_length', MAX_DIMENSION.context),
  );

/** What llama.cpp reads for other architectures only, with the value that it takes here. */
const IGNORED: Readonly<Record<string, number>> = {
  yarn_beta_fast: YARN_BOUNDS.betaFast,
  yarn_beta_slow: YARN_BOUNDS.betaSlow,
  yarn_attn_factor: 1,
  yarn_ext_factor: 1,
};

function yarnNotes(fields: GgufFields): string[] {
  return Object.entries(IGNORED).flatMap(([field, taken]) => {
    const key = fields.key(`rope.scaling.${field}`);
    const value = fields.optional(key);
    if (typeof value !== 'number' || value === taken) return [];
    return [`${key} is ${value}; llama.cpp takes ${taken} for this architecture, and so does Coppice`];
  });
}
