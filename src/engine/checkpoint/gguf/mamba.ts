/** Mamba-2 in a GGUF file: the same fields in every architecture that has it. */
import type { GgufField } from '../../formats/gguf/layout';
import { u32 } from '../../formats/gguf/values';
import { MAX_DIMENSION } from '../../formats/limits';
import { type MambaMixer, mambaWidths, NO_FACTORS } from '../kinds/mamba';
import type { GgufFields } from './fields';

/** @throws UserError for numbers that are missing or do not fit each other */
export function readFileMamba(fields: GgufFields, norm: MambaMixer['norm']): MambaMixer {
  const number = (field: string): number => fields.count(`ssm.${field}`, MAX_DIMENSION.hidden);
  const [inner, heads, groups] = ['inner_size', 'time_step_rank', 'group_count'].map(number);
  if (inner % heads !== 0)
    throw fields.bad(fields.key('ssm.inner_size'), `${inner} channels cannot be shared by ${heads} heads`);
  if (heads % groups !== 0)
    throw fields.bad(fields.key('ssm.group_count'), `${heads} heads cannot be shared by ${groups} groups`);
  return {
    kind: 'mamba',
    ...{ heads, groups, headDim: inner / heads, norm, biases: [], factors: NO_FACTORS },
    stateWidth: number('state_size'),
    kernel: number('conv_kernel'),
    kernelBias: true,
    steps: [0, Infinity],
  };
}

/** What a file says of it. */
export const mambaFields = (mamba: MambaMixer): GgufField[] => [
  ['ssm.conv_kernel', u32(mamba.kernel)],
  ['ssm.state_size', u32(mamba.stateWidth)],
  ['ssm.group_count', u32(mamba.groups)],
  ['ssm.inner_size', u32(mambaWidths(mamba).inner)],
  ['ssm.time_step_rank', u32(mamba.heads)],
];

/** The same of a config.json. */
export const mambaConfig = (mamba: MambaMixer): Readonly<Record<string, unknown>> => ({
  mamba_n_heads: mamba.heads,
  mamba_d_head: mamba.headDim,
  mamba_n_groups: mamba.groups,
  mamba_d_state: mamba.stateWidth,
  mamba_d_conv: mamba.kernel,
  mamba_conv_bias: true,
  mamba_proj_bias: false,
});

/** What of it llama.cpp does not compute in the architecture `name`; undefined if it computes all. */
export function oddMamba({ biases, kernelBias, steps: [least, most] }: MambaMixer, name: string): string | undefined {
  if (biases.length > 0)
    return `matrices of its Mamba have biases (mamba_proj_bias), and llama.cpp’s architecture ${name} has none there`;
  if (!kernelBias)
    return `the convolutions of its Mamba have no biases (mamba_conv_bias), and llama.cpp’s architecture ${name} needs them`;
  if (least === 0 && most === Infinity) return undefined;
  return 'its steps of time are bounded (time_step_limit), and llama.cpp does not bound them';
}
