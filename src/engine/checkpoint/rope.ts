/**
 * Rotary embedding settings. transformers 4 writes `rope_theta` and `rope_scaling`; transformers 5 puts both into
 * `rope_parameters`. If a config has more than one of them, Coppice follows transformers 5: `rope_scaling` takes
 * precedence over `rope_parameters`, an empty object counts as absent, and the other one is ignored.
 */
import { isObject } from '../../format/json';
import type { Rope, RopeScaling } from './architecture';
import { badField, count, flag, isSet, positive, section, show, word, type Config } from './fields';
import { MAX_DIMENSION } from '../formats/limits';
import type { Unsupported } from './types';

/** The default base of most families. */
const DEFAULT_THETA = 10_000;
const ORIGINAL_CONTEXT = 'original_max_position_embeddings';
const PARTIAL = 'partial_rotary_factor';

/** What a rotation is read for. */
export interface Rotated {
  /** `max_position_embeddings` */
  readonly context: number;
  readonly headDim: number;
}

/** What a family does otherwise. */
export interface RopeRules {
  /** The base where the config has none; 10 000 when undefined. */
  readonly theta?: number;
  /** Whether only the first part of a head may turn. */
  readonly partial?: boolean;
  /** Other names of kinds. */
  readonly names?: Readonly<Record<string, string>>;
  /** The original context where the top level of the config has none, whatever stands beside the factors. */
  readonly originalContext?: number;
}

/**
 * Reads theta and scaling. Returns the reason if Coppice does not compute the kind of scaling.
 * @throws UserError for a field that is missing or impossible
 */
export function readRope(config: Config, rotated: Rotated, rules: RopeRules = {}): Rope | Unsupported {
  const parameters = filled(config, 'rope_scaling') ?? filled(config, 'rope_parameters') ?? {};
  if (Object.values(parameters).some(isObject)) {
    return unsupportedRope('its rotary embedding differs between kinds of layers (nested `rope_parameters`)');
  }
  return readRopeOf(parameters, config, rotated, rules);
}

/** The same from the object that has scaling and, in transformers 5, theta. */
export function readRopeOf(
  parameters: Config,
  config: Config,
  rotated: Rotated,
  { theta: usual = DEFAULT_THETA, partial = false, names = {}, originalContext }: RopeRules,
): Rope | Unsupported {
  const theta = positive(isSet(parameters, 'rope_theta') ? parameters : config, 'rope_theta', usual);
  const source = isSet(parameters, PARTIAL) ? parameters : config;
  const share = positive(source, PARTIAL, 1);
  if (share !== 1 && !partial) return unsupportedRope(`only a part of each head is rotated (\`${PARTIAL}\`)`);
  const turned = Math.floor(rotated.headDim * share);
  if (share > 1 || turned < 2 || turned % 2 !== 0) {
    throw badField(PARTIAL, `${show(share)} of a head of ${rotated.headDim} cannot be rotated in pairs`);
  }
  const written = word(parameters, 'rope_type') ?? word(parameters, 'type') ?? 'default';
  const kind = names[written] ?? written;
  const original = (): number =>
    isSet(config, ORIGINAL_CONTEXT) || originalContext === undefined
      ? count(
          isSet(config, ORIGINAL_CONTEXT) ? config : parameters,
          ORIGINAL_CONTEXT,
          MAX_DIMENSION.context,
          rotated.context,
        )
      : originalContext;
  const scaling = readScaling(kind, parameters, { ...rotated, pairs: turned / 2, theta, original });
  if (!scaling) return unsupportedRope(`its rotary embedding is scaled by "${written.slice(0, 40)}"`);
  return turned === rotated.headDim ? { theta, scaling } : { theta, scaling, turned };
}

/** A nested object with entries, or undefined. */
export function filled(config: Config, field: string): Config | undefined {
  const found = section(config, field);
  return found && Object.keys(found).length > 0 ? found : undefined;
}

interface Scaled extends Rotated {
  readonly pairs: number;
  readonly theta: number;
  /** The context of the original training. A value at the top level takes precedence over one beside the factors. */
  readonly original: () => number;
}

function readScaling(kind: string, parameters: Config, scaled: Scaled): RopeScaling | undefined {
  switch (kind) {
    case 'default':
      return { kind };
    case 'linear':
      return { kind, factor: positive(parameters, 'factor') };
    case 'dynamic':
      return { kind, factor: positive(parameters, 'factor'), context: scaled.context };
    case 'llama3':
      return readLlama3(parameters, scaled);
    case 'yarn':
      return readYarn(parameters, scaled);
    case 'longrope':
      return readLongRope(parameters, scaled);
    default:
      return undefined;
  }
}

function readLlama3(parameters: Config, { original }: Scaled): RopeScaling {
  const lowFreqFactor = positive(parameters, 'low_freq_factor');
  const highFreqFactor = positive(parameters, 'high_freq_factor');
  if (highFreqFactor <= lowFreqFactor) {
    // The interpolation divides by their difference.
    throw badField('rope_scaling.high_freq_factor', `${highFreqFactor} is not above low_freq_factor ${lowFreqFactor}`);
  }
  const factor = positive(parameters, 'factor');
  return { kind: 'llama3', factor, lowFreqFactor, highFreqFactor, originalContext: original() };
}

function readYarn(parameters: Config, { context, theta }: Scaled): RopeScaling {
  if (theta <= 1) throw badField('rope_theta', `${theta} is not above 1, as yarn needs it`);
  // Unlike the other kinds, yarn looks beside its factors only.
  const originalContext = count(parameters, ORIGINAL_CONTEXT, MAX_DIMENSION.context, context);
  const factor = positive(parameters, 'factor', context / originalContext);
  const grown = (weight: number): number => (factor <= 1 ? 1 : 0.1 * weight * Math.log(factor) + 1);
  const weights = ['mscale', 'mscale_all_dim'].map((field) =>
    parameters[field] === 0 ? 0 : positive(parameters, field, 0),
  );
  const usual = weights.every((weight) => weight > 0) ? grown(weights[0]) / grown(weights[1]) : grown(1);
  return {
    kind: 'yarn',
    factor,
    originalContext,
    betaFast: positive(parameters, 'beta_fast', 32),
    betaSlow: positive(parameters, 'beta_slow', 1),
    truncate: flag(parameters, 'truncate', true),
    magnitude: positive(parameters, 'attention_factor', usual),
  };
}

function readLongRope(parameters: Config, { context, pairs, original }: Scaled): RopeScaling {
  const originalContext = original();
  const stretch = positive(parameters, 'factor', context / originalContext);
  // The usual factor divides by its logarithm.
  if (originalContext === 1) throw badField(ORIGINAL_CONTEXT, 'it is not above 1, as longrope needs it');
  const usual = longRopeMagnitude(stretch, originalContext);
  return {
    kind: 'longrope',
    short: divisors(parameters, 'short_factor', pairs),
    long: divisors(parameters, 'long_factor', pairs),
    originalContext,
    magnitude: positive(parameters, 'attention_factor', usual),
  };
}

/** The factor of cosines and sines where nothing else says it. */
export function longRopeMagnitude(stretch: number, originalContext: number): number {
  return stretch <= 1 ? 1 : Math.sqrt(1 + Math.log(stretch) / Math.log(originalContext));
}

function divisors(parameters: Config, field: string, pairs: number): number[] {
  const list = parameters[field];
  const at = `rope_scaling.${field}`;
  if (!Array.isArray(list) || list.length !== pairs) {
    const found = Array.isArray(list) ? `it has ${list.length} numbers` : 'it is not a list';
    throw badField(at, `${found}, and a head turns in ${pairs} pairs`);
  }
  const odd: unknown = list.find((value) => typeof value !== 'number' || !Number.isFinite(value) || value <= 0);
  if (odd !== undefined) throw badField(at, `${show(odd)} is not a number above 0`);
  return list as number[];
}

function unsupportedRope(why: string): Unsupported {
  const kinds = 'default, linear, dynamic, llama3, yarn and longrope';
  return { why, action: `Coppice computes the kinds ${kinds}; the checkpoint can be inspected.` };
}
