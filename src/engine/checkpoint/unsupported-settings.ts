/**
 * Settings that change the computation of a block. If the family does not read such a setting, Coppice refuses the
 * config with the reason instead of computing wrong numbers.
 */
import { isSet, show, type Config } from './fields';
import type { ModelFamily } from './families/family';
import type { Unsupported } from './types';

interface OddSetting {
  readonly fields: readonly string[];
  /** Values that do not change the computation. */
  readonly neutral: readonly unknown[];
  readonly meaning: string;
}

const ODD_SETTINGS: readonly OddSetting[] = [
  {
    fields: ['hidden_act', 'hidden_activation'],
    neutral: ['silu', 'swish'],
    meaning: 'an FFN activation other than SiLU',
  },
  { fields: ['attn_logit_softcapping', 'final_logit_softcapping'], neutral: [0, false], meaning: 'capped logits' },
  {
    fields: ['num_local_experts', 'num_experts', 'n_routed_experts', 'moe_num_experts'],
    neutral: [0, 1],
    meaning: 'a mixture of experts',
  },
  {
    fields: [
      'embedding_multiplier',
      'residual_multiplier',
      'logits_scaling',
      'logit_scale',
      'scale_emb',
      'scale_depth',
    ],
    neutral: [1],
    meaning: 'scaled activations',
  },
  {
    fields: ['attention_multiplier', 'query_pre_attn_scalar', 'clip_qkv'],
    neutral: [],
    meaning: 'scaled or clipped attention',
  },
  { fields: ['no_rope_layers', 'no_rope_layer_interval'], neutral: [0], meaning: 'layers without rotary embedding' },
  { fields: ['use_qk_norm', 'qk_layernorm'], neutral: [false], meaning: 'normalised queries and keys' },
  {
    fields: ['alibi', 'use_alibi', 'use_mrope', 'parallel_attn', 'use_parallel_residual'],
    neutral: [false],
    meaning: 'other positions or another block layout',
  },
  { fields: ['is_encoder_decoder'], neutral: [false], meaning: 'an encoder beside the decoder' },
  { fields: ['is_causal'], neutral: [true], meaning: 'attention to later tokens' },
  { fields: ['per_layer_config'], neutral: [], meaning: 'settings of single layers' },
];

/** The first setting that the family does not support, or undefined. */
export function oddSetting(config: Config, { reads = [] }: ModelFamily): Unsupported | undefined {
  for (const { fields, neutral, meaning } of ODD_SETTINGS) {
    const unread = fields.filter((name) => !reads.includes(name));
    const field = unread.find((name) => isSet(config, name) && !neutral.includes(config[name]));
    if (field !== undefined) {
      return {
        why: `its config asks for ${meaning} (\`${field}\`: ${show(config[field])})`,
        action: 'The checkpoint can be inspected; computing with it would give wrong numbers.',
      };
    }
  }
  return undefined;
}
