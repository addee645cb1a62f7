/** A setting that changes the mathematics and that Coppice does not read is refused by its name; what means nothing is not. */
import assert from 'node:assert/strict';
import { FAMILIES } from '../../../src/engine/checkpoint/families';
import { readConfigArchitecture } from '../../../src/engine/checkpoint/config';
import { architectureOf, CONFIG, type Config } from '../../support/checkpoint-files';

/** Settings of other decoders of transformers, with values that they use. */
const MATHEMATICS: Config = {
  activation_sparsity_pattern: [0.95],
  alibi: true,
  alpha_type: 'vector',
  altup_active_idx: 1,
  altup_num_inputs: 4,
  apply_residual_connection_post_layernorm: true,
  attention_chunk_size: 8192,
  attention_head_dim: 64,
  attention_in_multiplier: 0.5,
  attention_k_eq_v: true,
  attention_sink: true,
  attention_value_scale: 0.7,
  attn_layer_period: 8,
  attn_logit_soft_cap: 30,
  attn_output_gate: true,
  attn_scale: 0.1,
  attn_temperature_tuning: 4,
  block_types: ['recurrent', 'attention'],
  clip_qkv: 8,
  conv_L_cache: 3,
  decoder_sparse_step: 1,
  embedding_scale: 2,
  floor_scale: 8192,
  global_head_dim: 512,
  global_rope_theta: 1e6,
  key_multiplier: 0.3,
  kv_lora_rank: 512,
  kv_sharing_window: 3,
  layer_norm_eps: 1e-5,
  laurel_rank: 64,
  linear_conv_kernel_dim: 4,
  lm_head_multiplier: 0.02,
  logit_scale: 0.0625,
  logits_soft_cap: 30,
  mamba_d_state: 128,
  mlp_multipliers: [0.9, 0.2],
  moe_intermediate_size: 768,
  moe_layers: [1, 2],
  mup_enabled: true,
  n_shared_experts: 1,
  nope_layer_interval: 4,
  norm_topk_prob: true,
  num_kv_shared_layers: 10,
  parallel_attn: true,
  q_lora_rank: 1536,
  qk_layernorm: true,
  qk_nope_head_dim: 128,
  qk_rope_head_dim: 64,
  residual_multiplier: 0.22,
  rope_interleave: true,
  rope_local_base_freq: 10000,
  rope_scaling_factor: 4,
  rotary_dim: 32,
  rotary_pct: 0.25,
  routed_scaling_factor: 2.5,
  scale_attn_by_inverse_layer_idx: true,
  scale_depth: 1.4,
  shared_intermediate_size: 1024,
  ssm_state_size: 16,
  swa_head_dim: 64,
  swiglu_limit: 7,
  use_bias: true,
  use_bidirectional_attention: true,
  use_conv_bias: true,
  use_post_norm: true,
  use_qk_norm: true,
  use_sandwich_norm: true,
  v_head_dim: 128,
};

/** What configs of models that Coppice computes have beside them. */
const HARMLESS: Config = {
  _attn_implementation_autoset: true,
  _flash_attn_2_enabled: true,
  _name_or_path: './attention',
  add_cross_attention: false,
  attention_dropout: 0.1,
  attn_implementation: 'sdpa',
  auto_map: { AutoConfig: 'configuration.Config' },
  cache_implementation: 'hybrid',
  chunk_size_feed_forward: 0,
  classifier_dropout: 0.1,
  cross_attention_hidden_size: null,
  dtype: 'bfloat16',
  embd_pdrop: 0.1,
  full_attn_mod: 1,
  gradient_checkpointing: true,
  hidden_dropout: 0.1,
  initializer_range: 0.02,
  interpolate_factor: 1,
  is_llama_config: true,
  lm_head_bias: false,
  max_window_layers: 21,
  mlp_only_layers: [],
  no_repeat_ngram_size: 3,
  num_experts: 0,
  output_attentions: true,
  pad_token_id: 0,
  pretraining_tp: 2,
  pruned_heads: {},
  qk_norm: false,
  quantization_config: null,
  residual_dropout: 0.1,
  rope_interleaved: false,
  router_aux_loss_coef: 0.01,
  sliding_window: 4096,
  temperature: 0.7,
  tie_encoder_decoder: false,
  top_k: 50,
  transformers_version: '5.24.0',
  unsloth_fixed: true,
  use_cache: true,
  use_mrope: false,
  use_sliding_window: false,
};

const refusal = (changes: Config): string => {
  const result = readConfigArchitecture({ ...CONFIG, ...changes });
  return 'why' in result ? `${result.why}\n${result.action}` : '';
};

describe('settings that change the mathematics', () => {
  for (const [name, value] of Object.entries(MATHEMATICS)) {
    it(`refuses ${name}, unless it is off`, () => {
      const said = refusal({ [name]: value });
      assert.ok(said.includes(`\`${name}\`: ${JSON.stringify(value)}`), said || 'it is read');
      assert.match(said, /can be inspected; computing with it would give wrong numbers/);
      assert.equal(refusal({ [name]: null }), '');
      assert.equal(refusal({ [name]: false }), '');
    });
  }

  it('lets through what changes nothing', () => {
    for (const [name, value] of Object.entries(HARMLESS)) assert.equal(refusal({ [name]: value }), '', name);
    architectureOf(HARMLESS);
  });

  it('knows factors that are one, and none of something', () => {
    for (const name of ['attention_in_multiplier', 'logit_scale', 'embedding_multiplier', 'rope_ratio']) {
      assert.equal(refusal({ [name]: 1 }), '', name);
      assert.notEqual(refusal({ [name]: 0 }), '', name);
    }
    for (const name of ['n_shared_experts', 'num_kv_shared_layers', 'attn_logit_softcapping']) {
      assert.equal(refusal({ [name]: 0 }), '', name);
      assert.notEqual(refusal({ [name]: 2 }), '', name);
    }
  });

  it('takes a setting from the families that read it only', () => {
    const readers = (name: string): string[] =>
      FAMILIES.filter(({ reads = [] }) => reads.includes(name)).map(({ modelType }) => modelType);
    assert.deepEqual(readers('query_pre_attn_scalar'), ['gemma2', 'gemma3_text']);
    assert.deepEqual(readers('no_rope_layers'), ['smollm3']);
    assert.deepEqual(readers('residual_multiplier'), ['granite', 'granitemoehybrid']);
    assert.deepEqual(readers('rope_local_base_freq'), ['gemma3_text']);
    const heads = { model_type: 'mistral', num_key_value_heads: 1 };
    // What a class of transformers does not read changes nothing there either.
    assert.equal(refusal({ ...heads, attention_bias: true }), '');
    assert.equal(refusal({ layer_types: ['sliding_attention', 'full_attention', 'full_attention'] }), '');
    assert.match(refusal({ layer_types: ['linear_attention', 'full_attention', 'full_attention'] }), /layer_types/);
  });

  it('names a field inside of the rotation', () => {
    const yarn = { rope_type: 'yarn', factor: 2, original_max_position_embeddings: 32 };
    assert.equal(refusal({ rope_scaling: { ...yarn, finetuned: true, attn_factor: 1 } }), '');
    assert.match(
      refusal({ rope_parameters: { ...yarn, llama_4_scaling_beta: 0.1 } }),
      /rope_parameters\.llama_4_scaling_beta/,
    );
    assert.match(
      refusal({ rope_scaling: { type: 'default', mrope_section: [16, 24, 24] } }),
      /rope_scaling\.mrope_section/,
    );
  });
});
