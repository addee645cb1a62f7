/** What families with Mamba-2 read alike. */
import { isObject, parseJsonNumber } from '../../../format/json';
import type { LinearName } from '../architecture';
import { badField, count, flag, isSet, show, type Config } from '../fields';
import { type MambaFactors, type MambaMixer, NO_FACTORS } from '../kinds/mamba';
import { MAX_DIMENSION } from '../../formats/limits';

/** Fields that `readMamba` reads, and those that only say how a program computes. */
export const MAMBA_READS: readonly string[] = [
  ...['n_heads', 'd_head', 'n_groups', 'd_state', 'd_conv', 'expand', 'conv_bias'].map((name) => `mamba_${name}`),
  ...['mamba_chunk_size', 'mamba_proj_bias', 'time_step_limit'],
  // Of training: where steps of time begin.
  ...['time_step_min', 'time_step_max', 'time_step_floor', 'mamba_use_mlp'],
];

interface MambaRules {
  /** Channels of all heads. */
  readonly inner: number;
  readonly biases: readonly LinearName[];
  readonly norm: MambaMixer['norm'];
  readonly factors?: MambaFactors;
}

/** @throws UserError for a field that is impossible */
export function readMamba(config: Config, { inner, biases, norm, factors = NO_FACTORS }: MambaRules): MambaMixer {
  const heads = count(config, 'mamba_n_heads', MAX_DIMENSION.hidden, 128);
  const groups = count(config, 'mamba_n_groups', MAX_DIMENSION.hidden, 1);
  const stated = config.mamba_d_head === 'auto' || !isSet(config, 'mamba_d_head') ? undefined : config.mamba_d_head;
  const headDim = stated === undefined ? inner / heads : count(config, 'mamba_d_head', MAX_DIMENSION.hidden);
  if (heads * headDim !== inner) {
    throw badField('mamba_n_heads', `${heads} heads of ${headDim} do not make the ${inner} channels of Mamba`);
  }
  if (heads % groups !== 0) throw badField('mamba_n_groups', `${heads} heads cannot be shared by ${groups} groups`);
  return {
    kind: 'mamba',
    ...{ heads, headDim, groups, biases, norm, factors },
    stateWidth: count(config, 'mamba_d_state', MAX_DIMENSION.hidden, 256),
    kernel: count(config, 'mamba_d_conv', MAX_DIMENSION.headDim, 4),
    kernelBias: flag(config, 'mamba_conv_bias', true),
    steps: stepLimits(config),
  };
}

/** Channels by the width of the model. */
export const expanded = (config: Config, hidden: number): number =>
  count(config, 'mamba_expand', MAX_DIMENSION.hidden, 2) * hidden;

const LIMIT = 'time_step_limit';

function stepLimits(config: Config): readonly [number, number] {
  if (!isSet(config, LIMIT)) return [0, Infinity];
  const limits: unknown = config[LIMIT];
  const [least, most] = Array.isArray(limits) && limits.length === 2 ? limits.map(numberOf) : [];
  if (least === undefined || most === undefined || least > most) {
    throw badField(LIMIT, `${show(limits)} is not the least and the largest step`);
  }
  return [least, most];
}

/** transformers 5 writes infinity as an object with its name. */
const numberOf = (value: unknown): number | undefined => parseJsonNumber(isObject(value) ? value.__float__ : value);
