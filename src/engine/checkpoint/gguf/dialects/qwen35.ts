/** Qwen3.5: gated delta nets in most blocks, which a list of flags tells, attention with a gate in the others. */
import type { GgufField } from '../../../formats/gguf/layout';
import { u32 } from '../../../formats/gguf/values';
import { MAX_DIMENSION } from '../../../formats/limits';
import type { DeltaNetMixer } from '../../kinds/delta-net';
import type { GgufFields } from '../fields';
import type { OtherMixer } from '../shapes';
import type { Dialect, DialectMixer } from './dialect';

const RECURRENT = 'attention.recurrent_layers';
const INTERVAL = 'full_attention_interval';
const DRAFTS = 'nextn_predict_layers';

const DELTA_NET: DialectMixer = {
  kind: 'deltaNet',
  read: (fields, { kvHeads }) => {
    const net = readNet(fields);
    return readRecurrent(fields, kvHeads.length).map((isRecurrent) => (isRecurrent ? net : undefined));
  },
  fields: (others) => {
    const net = others.find(isNet);
    const flags: GgufField = [
      RECURRENT,
      { type: 'array', of: 'bool', values: others.map((each) => Number(isNet(each))) },
    ];
    return net ? [...netFields(net), flags] : [];
  },
  refused: (mixer) =>
    isNet(mixer) && mixer.keyWidth !== mixer.valueWidth
      ? `its delta nets have keys of ${mixer.keyWidth} numbers and values of ${mixer.valueWidth}, and llama.cpp’s architecture qwen35 has as many of both`
      : undefined,
};

const isNet = (mixer: OtherMixer | undefined): mixer is DeltaNetMixer => mixer?.kind === 'deltaNet';

const netFields = ({ kernel, keyWidth, keyHeads, heads, valueWidth }: DeltaNetMixer): GgufField[] => [
  ['ssm.conv_kernel', u32(kernel)],
  ['ssm.state_size', u32(keyWidth)],
  ['ssm.group_count', u32(keyHeads)],
  ['ssm.time_step_rank', u32(heads)],
  ['ssm.inner_size', u32(heads * valueWidth)],
];

/** @throws UserError for numbers that do not fit each other */
function readNet(fields: GgufFields): DeltaNetMixer {
  const number = (field: string): number => fields.count(`ssm.${field}`, MAX_DIMENSION.hidden);
  const [keyHeads, heads, keyWidth, inner] = ['group_count', 'time_step_rank', 'state_size', 'inner_size'].map(number);
  if (heads % keyHeads !== 0)
    throw fields.bad(fields.key('ssm.group_count'), `${keyHeads} key heads cannot serve ${heads} value heads`);
  if (inner !== heads * keyWidth)
    throw fields.bad(fields.key('ssm.inner_size'), `${inner} is not ${heads} value heads of ${keyWidth} numbers`);
  return { kind: 'deltaNet', keyHeads, heads, keyWidth, valueWidth: keyWidth, kernel: number('conv_kernel') };
}

/** By the list, else all but every fourth. @throws UserError for a list of another length */
function readRecurrent(fields: GgufFields, blocks: number): readonly boolean[] {
  const key = fields.key(RECURRENT);
  const listed = fields.optional(key);
  if (typeof listed !== 'object') {
    const interval = fields.count(INTERVAL, MAX_DIMENSION.blocks, 4);
    return Array.from({ length: blocks }, (_, block) => (block + 1) % interval !== 0);
  }
  if (listed.length !== blocks || listed.first.length !== blocks)
    throw fields.bad(key, `it lists ${listed.length} flags for ${blocks} blocks`);
  return listed.first.map((flag) => flag !== 0 && flag !== false);
}

/** The three streams of positions, which are one in a text, share the pairs that turn. A fourth is not used. */
function sections(turned: number): number[] {
  const pairs = turned / 2;
  const first = Math.ceil(pairs / 3);
  const second = Math.ceil((pairs - first) / 2);
  return [first, second, pairs - first - second];
}

export const qwen35: Dialect = {
  name: 'qwen35',
  family: 'qwen3_5_text',
  fits: ({ style, layers: [{ qkNorm, fused }] }) => style.norms === 'before' && qkNorm === 'head' && !fused,
  biases: [],
  qkNorm: 'head',
  gated: true,
  rotation: { partial: true, sections },
  style: () => ({ normOffset: 1 }),
  mixer: DELTA_NET,
  names: { postNorm: 'post_attention_norm.weight' },
  refused: (fields) => {
    const key = fields.key(DRAFTS);
    const drafts = fields.optional(key) ?? 0;
    return drafts === 0 ? undefined : `it has blocks that draft tokens (${key})`;
  },
  config: ({ layers }, rope) => {
    const net = layers.map(({ other }) => other).find(isNet);
    const [{ headDim }] = layers;
    const turned = rope?.turned ?? headDim;
    return {
      attention_bias: false,
      attn_output_gate: true,
      layer_types: layers.map(({ other }) => (other ? 'linear_attention' : 'full_attention')),
      linear_conv_kernel_dim: net?.kernel,
      linear_key_head_dim: net?.keyWidth,
      linear_num_key_heads: net?.keyHeads,
      linear_num_value_heads: net?.heads,
      linear_value_head_dim: net?.valueWidth,
      rope_theta: undefined,
      rope_scaling: undefined,
      rope_parameters: {
        rope_type: 'default',
        rope_theta: rope?.theta,
        partial_rotary_factor: turned / headDim,
        mrope_interleaved: true,
        mrope_section: sections(turned),
      },
    };
  },
};
