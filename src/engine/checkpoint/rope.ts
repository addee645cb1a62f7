/**
 * Rotary embedding settings. transformers 4 writes `rope_theta` and `rope_scaling`; transformers 5 puts both into
 * `rope_parameters`. If a config has more than one of them, Coppice follows transformers 5: `rope_scaling` takes
 * precedence over `rope_parameters`, an empty object counts as absent, and the other one is ignored.
 */
import { isObject } from '../../format/json';
import type { Rope, RopeScaling } from './architecture';
import { badField, count, isSet, positive, section, word, type Config } from './fields';
import { MAX_DIMENSION } from '../formats/limits';
import type { Unsupported } from './types';

/** The default base of most families. */
const DEFAULT_THETA = 10_000;
const ORIGINAL_CONTEXT = 'original_max_position_embeddings';

/**
 * Reads theta and scaling. Returns the reason if Coppice does not compute the kind of scaling.
 * @param defaultTheta the family's default
 */
export function readRope(config: Config, context: number, defaultTheta = DEFAULT_THETA): Rope | Unsupported {
  const parameters = filled(config, 'rope_scaling') ?? filled(config, 'rope_parameters') ?? {};
  if (Object.values(parameters).some(isObject)) {
    return unsupportedRope('its rotary embedding differs between kinds of layers (nested `rope_parameters`)');
  }
  const theta = isSet(parameters, 'rope_theta')
    ? positive(parameters, 'rope_theta')
    : positive(config, 'rope_theta', defaultTheta);
  for (const source of [config, parameters]) {
    if (isSet(source, 'partial_rotary_factor') && source.partial_rotary_factor !== 1) {
      return unsupportedRope('only a part of each head is rotated (`partial_rotary_factor`)');
    }
  }
  const kind = word(parameters, 'rope_type') ?? word(parameters, 'type') ?? 'default';
  const scaling = readScaling(kind, parameters, config, context);
  return scaling ? { theta, scaling } : unsupportedRope(`its rotary embedding is scaled by "${kind.slice(0, 40)}"`);
}

/** A nested object with entries, or undefined. */
function filled(config: Config, field: string): Config | undefined {
  const found = section(config, field);
  return found && Object.keys(found).length > 0 ? found : undefined;
}

function readScaling(kind: string, parameters: Config, config: Config, context: number): RopeScaling | undefined {
  switch (kind) {
    case 'default':
      return { kind };
    case 'linear':
      return { kind, factor: positive(parameters, 'factor') };
    case 'llama3': {
      const lowFreqFactor = positive(parameters, 'low_freq_factor');
      const highFreqFactor = positive(parameters, 'high_freq_factor');
      if (highFreqFactor <= lowFreqFactor) {
        // The interpolation divides by their difference.
        throw badField(
          'rope_scaling.high_freq_factor',
          `${highFreqFactor} is not above low_freq_factor ${lowFreqFactor}`,
        );
      }
      return {
        kind,
        factor: positive(parameters, 'factor'),
        lowFreqFactor,
        highFreqFactor,
        // A value at the top level takes precedence over one beside the factors.
        originalContext: count(
          isSet(config, ORIGINAL_CONTEXT) ? config : parameters,
          ORIGINAL_CONTEXT,
          MAX_DIMENSION.context,
          context,
        ),
      };
    }
    default:
      return undefined;
  }
}

function unsupportedRope(why: string): Unsupported {
  return { why, action: 'Coppice computes the kinds default, linear and llama3; the checkpoint can be inspected.' };
}
