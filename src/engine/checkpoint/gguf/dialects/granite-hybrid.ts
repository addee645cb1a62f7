/**
 * Granite 4 with Mamba-2 in place of attention in most blocks, which the list of heads of keys and values tells, or with experts beside the
 * FFN, or with both. Models with attention alone and without experts are Granite 3's (granite.ts).
 */
import { ATTENTION } from '../../families/family';
import { type MambaMixer, mambaWidths } from '../../kinds/mamba';
import { FFN_WIDTH } from '../experts';
import { mambaConfig, mambaFields, oddMamba, readFileMamba } from '../mamba';
import type { OtherMixer } from '../shapes';
import { type Dialect, type DialectExperts, type DialectMixer, isLikeLlama } from './dialect';
import { granite } from './granite';
import { llama } from './llama';

const HYBRID = 'granitehybrid';

const MAMBA: DialectMixer = {
  kind: 'mamba',
  listed: true,
  read: (fields, { kvHeads }) => {
    const mamba = readFileMamba(fields, 'afterGate');
    return kvHeads.map((heads) => (heads === 0 ? mamba : undefined));
  },
  fields: (others) => others.filter(isMamba).slice(0, 1).flatMap(mambaFields),
  refused: (mixer) => (isMamba(mixer) ? oddMamba(mixer, HYBRID) : undefined),
};

const isMamba = (mixer: OtherMixer | undefined): mixer is MambaMixer => mixer?.kind === 'mamba';

const SHARED = 'expert_shared_feed_forward_length';

/** The softmax is over the chosen experts. */
const EXPERTS: DialectExperts = { weighs: 'chosen', width: FFN_WIDTH, shared: SHARED };

/** Granite 3 has such models. */
const withoutShared: Dialect['refused'] = (fields) =>
  (fields.optional(fields.key(SHARED)) ?? 0) === 0 ? 'it has experts and no FFN beside them' : undefined;

const COMMON: Omit<Dialect, 'name'> = {
  family: 'granitemoehybrid',
  fits: (architecture) => isLikeLlama(architecture) && architecture.layers[0].qkNorm === null,
  paired: true,
  biases: ATTENTION,
  joined: true,
  rotation: granite.rotation,
  numbers: granite.numbers,
  config,
};

/** The FFN beside the experts has names of its own. */
const BESIDE_EXPERTS: Dialect['names'] = {
  gate: 'ffn_gate_shexp.weight',
  up: 'ffn_up_shexp.weight',
  down: 'ffn_down_shexp.weight',
};

export const graniteHybrid: Dialect = { ...COMMON, name: HYBRID, mixer: MAMBA };

const WITH_EXPERTS: Pick<Dialect, 'experts' | 'names' | 'refused'> = {
  experts: EXPERTS,
  names: BESIDE_EXPERTS,
  refused: withoutShared,
};
export const graniteHybridMoe: Dialect = { ...graniteHybrid, ...WITH_EXPERTS };
/** It rotates queries and keys in any case. */
export const graniteMoe: Dialect = { ...COMMON, name: 'granitemoe', rotation: llama.rotation, ...WITH_EXPERTS };

function config(...[architecture, rope]: Parameters<NonNullable<Dialect['config']>>): Record<string, unknown> {
  const { layers, hidden } = architecture;
  const [{ ffn, experts }] = layers;
  const mamba = layers.map(({ other }) => other).find(isMamba);
  return {
    ...granite.config?.(architecture, rope),
    mlp_bias: undefined,
    layer_types: layers.map(({ other }) => (other ? 'mamba' : 'attention')),
    position_embedding_type: rope ? 'rope' : 'nope',
    shared_intermediate_size: experts?.shared?.width ?? ffn,
    num_local_experts: experts?.count ?? 0,
    num_experts_per_tok: experts?.chosen ?? 0,
    ...(mamba && { mamba_expand: mambaWidths(mamba).inner / hidden, ...mambaConfig(mamba) }),
  };
}
