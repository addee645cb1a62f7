/** Falcon-H1: attention beside Mamba-2 in every block. Files have no factors: these are multiplied into the matrices (weights/folded.ts). */
import { u32 } from '../../../formats/gguf/values';
import { MAX_DIMENSION } from '../../../formats/limits';
import { type MambaMixer, mambaWidths, NO_FACTORS } from '../../kinds/mamba';
import type { GgufFields } from '../fields';
import type { OtherMixer } from '../shapes';
import type { Dialect, DialectMixer } from './dialect';

const BESIDE: DialectMixer = {
  kind: 'parallel',
  read: (fields, { kvHeads }) => {
    const parallel: OtherMixer = {
      kind: 'parallel',
      mamba: readMamba(fields),
      factors: { input: 1, attention: 1, mamba: 1 },
    };
    return kvHeads.map(() => parallel);
  },
  fields: ([first]) => {
    if (first?.kind !== 'parallel') return [];
    const { mamba } = first;
    return [
      ['ssm.conv_kernel', u32(mamba.kernel)],
      ['ssm.state_size', u32(mamba.stateWidth)],
      ['ssm.group_count', u32(mamba.groups)],
      ['ssm.inner_size', u32(mambaWidths(mamba).inner)],
      ['ssm.time_step_rank', u32(mamba.heads)],
    ];
  },
  refused: (mixer) => (mixer.kind === 'parallel' ? oddMamba(mixer.mamba) : undefined),
};

function oddMamba({ norm, biases, steps: [least, most] }: MambaMixer): string | undefined {
  if (norm !== null) return 'its Mamba has a norm (mamba_rms_norm), with which no file was tried in llama.cpp';
  if (biases.length > 0)
    return 'matrices of its Mamba have biases, and llama.cpp’s architecture falcon-h1 has none there';
  if (least === 0 && most === Infinity) return undefined;
  return 'its steps of time are bounded (time_step_limit), and llama.cpp does not bound them';
}

/** @throws UserError for numbers that do not fit each other */
function readMamba(fields: GgufFields): MambaMixer {
  const number = (field: string): number => fields.count(`ssm.${field}`, MAX_DIMENSION.hidden);
  const [inner, heads, groups] = ['inner_size', 'time_step_rank', 'group_count'].map(number);
  if (inner % heads !== 0)
    throw fields.bad(fields.key('ssm.inner_size'), `${inner} channels cannot be shared by ${heads} heads`);
  if (heads % groups !== 0)
    throw fields.bad(fields.key('ssm.group_count'), `${heads} heads cannot be shared by ${groups} groups`);
  return {
    kind: 'mamba',
    ...{ heads, groups, headDim: inner / heads, norm: null, biases: [], factors: NO_FACTORS },
    stateWidth: number('state_size'),
    kernel: number('conv_kernel'),
    kernelBias: true,
    steps: [0, Infinity],
  };
}

export const falconH1: Dialect = {
  name: 'falcon-h1',
  family: 'falcon_h1',
  fits: ({ style, layers: [{ qkNorm, fused }] }) => style.norms === 'before' && qkNorm === null && !fused,
  biases: [],
  mixer: BESIDE,
  // llama.cpp asks for it so.
  names: { postNorm: 'ffn_norm' },
  refused: (_, has) => (has('blk.0.ssm_norm.weight') ? 'its Mamba has a norm (ssm_norm)' : undefined),
  config: ({ layers: [{ other }] }) => {
    if (other?.kind !== 'parallel') return {};
    const { mamba } = other;
    return {
      attention_bias: false,
      mlp_bias: false,
      projectors_bias: false,
      mamba_d_ssm: mambaWidths(mamba).inner,
      mamba_n_heads: mamba.heads,
      mamba_d_head: mamba.headDim,
      mamba_n_groups: mamba.groups,
      mamba_d_state: mamba.stateWidth,
      mamba_d_conv: mamba.kernel,
      mamba_conv_bias: true,
      mamba_proj_bias: false,
      mamba_rms_norm: false,
    };
  },
};
