/**
 * Settings that change the computation and that Coppice does not read. A config with one is refused by name: ignoring it
 * would compute wrong numbers. Which of its many fields are mathematics is told by the words of their names, because new
 * models bring new fields. Names that have such a word and are harmless all the same are listed.
 */
import { isObject } from '../../format/json';
import { isSet, show, type Config } from './fields';
import type { ModelFamily } from './families/family';
import type { Unsupported } from './types';

interface OddSetting {
  readonly fields: readonly string[];
  /** Values that do not change the computation. */
  readonly neutral: readonly unknown[];
  readonly meaning: string;
}

/** Settings with a meaning or with neutral values of their own. */
const ODD_SETTINGS: readonly OddSetting[] = [
  {
    fields: ['hidden_act', 'hidden_activation', 'activation', 'activation_function', 'mlp_hidden_act'],
    neutral: ['silu', 'swish', 'swiglu'],
    meaning: 'an FFN activation other than SiLU',
  },
  { fields: ['attn_logit_softcapping', 'final_logit_softcapping'], neutral: [0, false], meaning: 'capped logits' },
  {
    fields: ['num_local_experts', 'num_experts', 'n_routed_experts', 'moe_num_experts', 'num_experts_per_tok'],
    neutral: [0, 1],
    meaning: 'a mixture of experts',
  },
  { fields: ['n_group', 'topk_group'], neutral: [0, 1], meaning: 'experts that are chosen in groups' },
  {
    fields: [
      'embedding_multiplier',
      'residual_multiplier',
      'logits_scaling',
      'logit_scale',
      'scale_emb',
      'scale_depth',
      'dim_model_base',
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
  { fields: ['use_qk_norm', 'qk_layernorm'], neutral: [false], meaning: 'normalized queries and keys' },
  {
    fields: ['alibi', 'use_alibi', 'use_mrope', 'parallel_attn', 'use_parallel_residual'],
    neutral: [false],
    meaning: 'other positions or another block layout',
  },
  { fields: ['is_encoder_decoder'], neutral: [false], meaning: 'an encoder beside the decoder' },
  { fields: ['is_causal', 'causal'], neutral: [true], meaning: 'attention to later tokens' },
  {
    fields: ['use_bidirectional_attention', 'bidirectional', 'prefix_lm'],
    neutral: [false],
    meaning: 'attention to later tokens',
  },
  { fields: ['per_layer_config'], neutral: [], meaning: 'settings of single layers' },
  {
    // Windows that the class of the model type does not read are none.
    fields: ['layer_types'],
    neutral: ['full_attention', 'attention', 'sliding_attention'],
    meaning: 'kinds of layers that its model type does not have',
  },
  {
    fields: ['norm_type', 'normalization', 'layernorm_type'],
    neutral: ['rmsnorm', 'rms_norm', 'RMSNorm'],
    meaning: 'another norm',
  },
  { fields: ['position_embedding_type'], neutral: ['rope', 'rotary', 'absolute'], meaning: 'other positions' },
];

/** Words of names that say mathematics. */
const WORDS = [
  '(?:re)?scal(?:e[sdr]?|ing|ar)|mult(?:iplier)?s?|factor|ratio|divisor|mup|mscale|beta|alpha|mod|soft(?:cap|max|plus).*|cap(?:ping)?',
  'clip|clamp|limit|norms?|(?:layer|rms|qk|group)_?norm|ln|rope|m_?rope|rotary|rot|nope|theta|freqs?|alibi|sinks?|window(?:ed)?|swa',
  'attention|attn|qkv|qk|mla|gqa|latent|lora|bias(?:es)?|experts?|moe|rout(?:er|ed|ing)|gat(?:e|ed|ing)|residual|parallel|sandwich',
  'chunk(?:s|ed|wise)?|mamba\\d?|ssm|conv(?:1d)?|recurrent|lru|rwkv|deltanet|hybrid|block_types?|sparse|sparsity|altup|laurel',
  'shar(?:e|ed|ing)|tied?|per_layer|hc|mhc|ngram|engram|loops?|cycles|act|activations?|swiglu|geglu|causal|bidirectional',
  '(?:v|qk|k|q|attention|cross|global|local|swa)_head_dim|(?:position|pos)_(?:emb(?:d|edding)?s?|encoding)(?:_type)?|logits?|temperature',
];
const MATHEMATICS = new RegExp(`(?:^|_)(?:${WORDS.join('|')})(?:_|$)`);

/** Names with such a word that change nothing when a model computes. */
const HARMLESS: readonly RegExp[] = [
  // Training, and how a program computes the same.
  /dropout|pdrop|drop_path|layerdrop|jitter|_loss|loss_|coef(ficient)?$|initializer|_init(_|$)|checkpointing|recompute/,
  /flash|sdpa|xformers|eager|implementation|_kernels?$|(^|_)fused_|fp32|float32|upcast|precision|_dtype$|backend|quantization/,
  /^(use_cache|cache_implementation|kv_cache.*|chunk_size_feed_forward)$/,
  // Text and generation.
  /token|^temperature$|penalty|no_repeat|sampling|beams?(_|$)|^output_|^return_|problem_type/,
  /^unsloth/,
  /^(logits_to_keep|num_logits_to_keep|pad_logits)$/,
  // Sizes that the shapes of the weights say, and limits of other programs.
  /^(ffn_dim_multiplier|multiple_of|hidden_ratio|expansion_ratio|mlp_ratio)$/,
  // Windows and biases that the class of the model type does not read: transformers computes without them, too.
  /^(sliding_window|max_window_layers|_?sliding_window_pattern|attention_bias|mlp_bias)$/,
  // For texts of more than a hundred thousand tokens in other programs (Qwen2.5-1M).
  /^dual_chunk_attention_config$/,
  // Fields of a part that a text does not pass (images, sound), and of methods around the model.
  /^(vision|audio|image|video|speech|mm|transformers\.js|peft|lora|adapter|generation|tokenizer)[._]/,
  /^(tie_encoder_decoder|tie_lm_head|gradient_.*|sequence_parallel|tensor_parallel|pretraining_tp|tp_.*|ep_.*)$/,
];

/** A factor of 1 changes nothing, and none of something changes nothing. */
const FACTOR = /scal|mult|factor|ratio|divisor|mod$/;

/** Fields inside `rope_scaling` and `rope_parameters` that are read, or that mean nothing. */
const ROPE_FIELDS: ReadonlySet<string> = new Set([
  'rope_type',
  'type',
  'rope_theta',
  'partial_rotary_factor',
  'factor',
  'original_max_position_embeddings',
  'max_position_embeddings',
  'low_freq_factor',
  'high_freq_factor',
  'beta_fast',
  'beta_slow',
  'mscale',
  'mscale_all_dim',
  'attention_factor',
  'truncate',
  'short_factor',
  'long_factor',
  'finetuned',
]);

/** What every family reads. */
const READ: ReadonlySet<string> = new Set([
  'num_attention_heads',
  'num_key_value_heads',
  'max_position_embeddings',
  'original_max_position_embeddings',
  'rms_norm_eps',
  'tie_word_embeddings',
  'rope_theta',
  'rope_scaling',
  'rope_parameters',
  'partial_rotary_factor',
]);

/** The first setting that the family does not support, or undefined. */
export function oddSetting(config: Config, { reads = [] }: ModelFamily): Unsupported | undefined {
  const names = Object.keys(config).filter((name) => isSet(config, name) && !READ.has(name) && !reads.includes(name));
  for (const { fields, neutral, meaning } of ODD_SETTINGS) {
    const field = names.find((name) => fields.includes(name) && !isNeutral(config[name], neutral));
    if (field !== undefined) return refusal(`its config asks for ${meaning}`, field, config[field]);
  }
  const listed = new Set(ODD_SETTINGS.flatMap(({ fields }) => fields));
  const field = names.find(
    (name) => !listed.has(name) && isMathematics(name) && !isNeutral(config[name], neutralOf(name)),
  );
  if (field !== undefined) return refusal('its config has a setting that Coppice does not know', field, config[field]);
  return oddRotation(config, reads);
}

function refusal(why: string, field: string, value: unknown): Unsupported {
  return {
    why: `${why} (\`${field}\`: ${show(value)})`,
    action: 'The checkpoint can be inspected; computing with it would give wrong numbers.',
  };
}

function isMathematics(name: string): boolean {
  const plain = name.toLowerCase();
  return MATHEMATICS.test(plain) && !HARMLESS.some((pattern) => pattern.test(plain));
}

const neutralOf = (name: string): readonly unknown[] => (FACTOR.test(name.toLowerCase()) ? [1] : [0, 'none']);

/** Switched off, empty, or all of it neutral. */
function isNeutral(value: unknown, neutral: readonly unknown[]): boolean {
  if (value === undefined || value === null || value === false || value === '')
    return neutral[0] !== true || value !== false;
  if (Array.isArray(value)) return value.every((each) => isNeutral(each, neutral));
  if (isObject(value)) return Object.values(value).every((each) => isNeutral(each, neutral));
  return neutral.includes(value);
}

/** Rotations with a field that no known kind has. */
function oddRotation(config: Config, reads: readonly string[]): Unsupported | undefined {
  for (const section of ['rope_scaling', 'rope_parameters']) {
    const parameters = config[section];
    if (!isObject(parameters)) continue;
    for (const each of [parameters, ...Object.values(parameters).filter(isObject)]) {
      const field = Object.keys(each).find(
        (name) =>
          !ROPE_FIELDS.has(name) &&
          !reads.includes(name) &&
          !isObject(each[name]) &&
          !isNeutral(each[name], neutralOf(name)),
      );
      if (field !== undefined) {
        return refusal(
          'its rotary embedding has a setting that Coppice does not know',
          `${section}.${field}`,
          each[field],
        );
      }
    }
  }
  return undefined;
}
