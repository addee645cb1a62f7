/** Config to architecture: the layouts of transformers 4 and 5, the families' defaults, and what is refused. */
import assert from 'node:assert/strict';
import { type LayerShape, type LinearName, PLAIN_STYLE } from '../../../src/engine/checkpoint/architecture';
import { readConfigArchitecture } from '../../../src/engine/checkpoint/config';
import { plainLayer, plainShape } from '../../../src/engine/checkpoint/kinds/plain';
import { architectureOf, CONFIG, rejects, type Config } from '../../support/checkpoint-files';

const qwen2 = { model_type: 'qwen2', architectures: ['Qwen2ForCausalLM'], num_key_value_heads: 1 };
const mistral = { model_type: 'mistral', architectures: ['MistralForCausalLM'], num_key_value_heads: 1 };
const longrope = { model_type: 'phi3', max_position_embeddings: 64, original_max_position_embeddings: 16 };
const gemma2 = { model_type: 'gemma2', num_key_value_heads: 1, head_dim: 4 };
const gemma3 = { model_type: 'gemma3_text', num_key_value_heads: 1, head_dim: 4 };
const smollm3 = { model_type: 'smollm3', num_key_value_heads: 1 };
const windowOf = (changes: Config): (number | null)[] =>
  architectureOf(changes)
    .layers.map(plainShape)
    .map(({ window }) => window);
const layerOf = (changes: Config): LayerShape => architectureOf(changes).layers[0];

describe('config', () => {
  it('describes a model from the few fields that have no default', () => {
    const layer = plainLayer({
      heads: 2,
      kvHeads: 2,
      headDim: 4,
      ffn: 12,
      window: null,
      rope: { theta: 10000, scaling: { kind: 'default' } },
      biases: [],
      qkNorm: null,
      fused: false,
    });
    assert.deepEqual(architectureOf(), {
      family: 'llama',
      layers: [layer, layer, layer],
      style: PLAIN_STYLE,
      hidden: 8,
      vocabulary: 10,
      context: 2048,
      rmsNormEps: 1e-6,
      tied: false,
      bosTokenId: 1,
      eosTokenIds: [2],
    });
  });

  it('gives each family its own defaults', () => {
    const many = { num_attention_heads: 32, hidden_size: 64 };
    assert.equal(plainShape(layerOf({ ...many, model_type: 'mistral' })).kvHeads, 8);
    assert.equal(plainShape(layerOf({ ...many, model_type: 'qwen2' })).kvHeads, 32);
    assert.equal(plainShape(layerOf({ ...many, model_type: 'mistral', num_key_value_heads: null })).kvHeads, 32);
    assert.equal(plainShape(layerOf({ ...many, model_type: 'qwen3' })).headDim, 128);
    assert.equal(plainShape(layerOf({ ...many, model_type: 'qwen2' })).headDim, 2);
    assert.equal(plainShape(layerOf({ ...many, head_dim: null })).headDim, 2);
    assert.equal(architectureOf({ model_type: 'qwen2', num_key_value_heads: 2 }).bosTokenId, undefined);
  });

  it('knows which weights each family adds', () => {
    const parts = (changes: Config): boolean[] => {
      const { biases, qkNorm } = plainShape(layerOf(changes));
      const has = (...names: LinearName[]): boolean => {
        const found = names.filter((name) => biases.includes(name));
        assert.ok(found.length === 0 || found.length === names.length, 'of a module all or none');
        return found.length > 0;
      };
      return [has('q', 'k', 'v'), has('o'), has('gate', 'up', 'down'), qkNorm !== null];
    };
    assert.deepEqual(parts({}), [false, false, false, false]);
    assert.deepEqual(parts({ attention_bias: true }), [true, true, false, false]);
    assert.deepEqual(parts({ mlp_bias: true }), [false, false, true, false]);
    assert.deepEqual(parts({ ...qwen2, attention_bias: false }), [true, false, false, false]);
    assert.deepEqual(parts({ model_type: 'qwen3', num_key_value_heads: 1 }), [false, false, false, true]);
  });

  it('reads rotary settings in both layouts', () => {
    const llama3 = { factor: 8, low_freq_factor: 1, high_freq_factor: 4, original_max_position_embeddings: 32 };
    const scaling = { kind: 'llama3', factor: 8, lowFreqFactor: 1, highFreqFactor: 4, originalContext: 32 };
    const rope = (changes: Config): unknown => plainShape(layerOf(changes)).rope;
    const expected = { theta: 5e5, scaling };
    assert.deepEqual(rope({ rope_theta: 5e5, rope_scaling: { rope_type: 'llama3', ...llama3 } }), expected);
    assert.deepEqual(rope({ rope_parameters: { rope_theta: 5e5, rope_type: 'llama3', ...llama3 } }), expected);
    const linear = { theta: 10000, scaling: { kind: 'linear', factor: 4 } };
    assert.deepEqual(rope({ rope_scaling: { type: 'linear', factor: 4 } }), linear);
    assert.deepEqual(rope({ rope_parameters: { rope_type: 'linear', factor: 4 } }), linear);
    assert.deepEqual(rope({ rope_theta: 7, rope_scaling: null }), { theta: 7, scaling: { kind: 'default' } });
    assert.deepEqual(rope({ rope_parameters: { rope_theta: 7, rope_type: 'default' }, rope_theta: 8 }), {
      theta: 7,
      scaling: { kind: 'default' },
    });
  });

  it('falls back to the context for the original length of llama3 scaling', () => {
    const scaling = { rope_type: 'llama3', factor: 8, low_freq_factor: 1, high_freq_factor: 4 };
    const { rope } = plainShape(layerOf({ max_position_embeddings: 77, rope_scaling: scaling }));
    assert.equal(rope?.scaling.kind === 'llama3' && rope.scaling.originalContext, 77);
  });

  it('decides the window of every block as transformers does', () => {
    assert.deepEqual(windowOf({ sliding_window: 5 }), [null, null, null]);
    assert.deepEqual(windowOf({ ...mistral, sliding_window: 5 }), [5, 5, 5]);
    assert.deepEqual(windowOf({ ...mistral, sliding_window: null }), [null, null, null]);
    assert.deepEqual(windowOf(mistral), [4096, 4096, 4096]);
    const window = { ...qwen2, sliding_window: 5 };
    assert.deepEqual(windowOf(window), [null, null, null]);
    assert.deepEqual(windowOf({ ...window, use_sliding_window: true }), [null, null, null]);
    assert.deepEqual(windowOf({ ...window, use_sliding_window: true, max_window_layers: 1 }), [null, 5, 5]);
    assert.deepEqual(windowOf({ ...window, use_sliding_window: true, max_window_layers: 0 }), [5, 5, 5]);
    const types = ['sliding_attention', 'full_attention', 'sliding_attention'];
    assert.deepEqual(windowOf({ ...window, use_sliding_window: true, layer_types: types }), [5, null, 5]);
    assert.deepEqual(windowOf({ ...window, layer_types: types.map(() => 'full_attention') }), [null, null, null]);
  });

  it('reads token ids as a number, a list or none, and drops those beyond the vocabulary', () => {
    assert.deepEqual(architectureOf({ eos_token_id: [3, 4] }).eosTokenIds, [3, 4]);
    assert.deepEqual(architectureOf({ eos_token_id: 5 }).eosTokenIds, [5]);
    assert.deepEqual(architectureOf({ eos_token_id: null }).eosTokenIds, []);
    assert.deepEqual(architectureOf({ eos_token_id: [9, 10, -1] }).eosTokenIds, [9]);
    assert.equal(architectureOf({ bos_token_id: null }).bosTokenId, undefined);
    assert.equal(architectureOf({ bos_token_id: 128000 }).bosTokenId, undefined);
  });

  const unsupported: [string, Config, RegExp][] = [
    ['another model_type', { model_type: 'parrot' }, /"parrot" is not supported[^]*llama, mistral, qwen2, qwen3/],
    ['no model_type', { model_type: null }, /no model_type[^]*llama, mistral/],
    [
      'a nested language model',
      { model_type: 'llava', text_config: { model_type: 'llama' } },
      /"llava" is a multimodal model[^]*llama[^]*text_config/,
    ],
    ['a model without a head', { architectures: ['LlamaModel'] }, /LlamaModel/],
    ['another activation', { hidden_act: 'gelu' }, /hidden_act[^]*gelu/],
    ['capped attention logits', { attn_logit_softcapping: 50 }, /attn_logit_softcapping/],
    ['experts', { num_local_experts: 8 }, /experts/],
    ['an unknown rope', { rope_scaling: { type: 'ntk-by-parts', factor: 2 } }, /"ntk-by-parts"/],
    [
      'rope per kind of layer',
      { rope_parameters: { full_attention: { rope_type: 'default' } } },
      /differs between kinds/,
    ],
    ['attention to later tokens', { is_causal: false }, /is_causal/],
    ['settings of single layers', { per_layer_config: { 0: { sliding_window: 4 } } }, /per_layer_config/],
    ['partial rotation', { partial_rotary_factor: 0.5 }, /partial_rotary_factor/],
    [
      'chunked attention',
      { ...qwen2, layer_types: ['full_attention', 'chunked_attention', 'full_attention'] },
      /chunked_attention/,
    ],
  ];
  for (const [title, changes, pattern] of unsupported) {
    it(`names ${title} as the reason not to compute`, () => {
      const result = readConfigArchitecture({ ...CONFIG, ...changes });
      assert.ok('why' in result);
      assert.match(`${result.why}\n${result.action}`, pattern);
    });
  }

  it('takes lists of a longer model, and numbers in place of truth values, for blocks without rotation', () => {
    const rotated = (changes: Config): boolean[] =>
      architectureOf({ ...smollm3, ...changes })
        .layers.map(plainShape)
        .map(({ rope }) => rope !== null);
    assert.deepEqual(rotated({}), [true, true, true]);
    assert.deepEqual(rotated({ no_rope_layer_interval: 2 }), [true, false, true]);
    assert.deepEqual(rotated({ no_rope_layers: null, no_rope_layer_interval: 1 }), [false, false, false]);
    assert.deepEqual(rotated({ no_rope_layers: [0, 1, 0, 1, 1] }), [false, true, false]);
    assert.deepEqual(rotated({ no_rope_layers: [true, false, true] }), [true, false, true]);
  });

  it('tells no cap from the cap of the class', () => {
    const caps = (changes: Config): (number | null)[] => {
      const { scoreCap, logitCap } = architectureOf(changes).style;
      return [scoreCap, logitCap];
    };
    assert.deepEqual(caps(gemma2), [50, 30]);
    assert.deepEqual(caps({ ...gemma2, attn_logit_softcapping: null, final_logit_softcapping: null }), [null, null]);
    assert.deepEqual(caps({ ...gemma3, attn_logit_softcapping: 50 }), [null, null]);
    assert.deepEqual(caps({ ...gemma3, final_logit_softcapping: 30 }), [null, 30]);
  });

  it('ignores settings at their neutral values', () => {
    architectureOf({ hidden_act: 'swish', attn_logit_softcapping: null, num_experts: 0, partial_rotary_factor: 1 });
    architectureOf({ quantization_config: null, is_encoder_decoder: false, pretraining_tp: 2 });
  });

  const schemes: [string, Config][] = [
    ['GPTQ', { quantization_config: { quant_method: 'gptq', bits: 4 } }],
    ['AWQ', { quantization_config: { quant_method: 'awq', bits: 4 } }],
    ['bitsandbytes', { quantization_config: { quant_method: 'bitsandbytes', load_in_4bit: true } }],
    ['bitsandbytes', { quantization_config: { load_in_8bit: true } }],
    ['FP8', { quantization_config: { quant_method: 'fp8' } }],
    ['compressed-tensors', { quantization_config: { quant_method: 'compressed-tensors' } }],
    ['MLX 4-bit', { quantization: { bits: 4, group_size: 32 } }],
  ];
  for (const [scheme, changes] of schemes) {
    it(`refuses to compute with ${scheme} (${Object.keys(changes)[0]}) by name, and still describes it`, () => {
      const result = readConfigArchitecture({ ...CONFIG, ...changes });
      assert.ok('why' in result);
      assert.match(result.why, new RegExp(scheme));
      assert.deepEqual(result.described, architectureOf());
    });
  }

  const invalid: [string, Config][] = [
    ['hidden_size', { hidden_size: undefined }],
    ['hidden_size', { hidden_size: '8' }],
    ['hidden_size', { hidden_size: 8.5 }],
    ['num_hidden_layers', { num_hidden_layers: 0 }],
    ['num_hidden_layers', { num_hidden_layers: 1e9 }],
    ['vocab_size', { vocab_size: -1 }],
    ['intermediate_size', { intermediate_size: 1e300 }],
    ['num_attention_heads', { num_attention_heads: 3 }],
    ['num_key_value_heads', { num_attention_heads: 4, num_key_value_heads: 3 }],
    ['head_dim', { head_dim: 3 }],
    ['rms_norm_eps', { rms_norm_eps: -1e-6 }],
    ['tie_word_embeddings', { tie_word_embeddings: 'yes' }],
    ['eos_token_id', { eos_token_id: ['</s>'] }],
    ['model_type', { model_type: 3 }],
    ['rope_scaling', { rope_scaling: 'linear' }],
    ['factor', { rope_scaling: { type: 'linear' } }],
    ['high_freq_factor', { rope_scaling: { type: 'llama3', factor: 8, low_freq_factor: 4, high_freq_factor: 4 } }],
    ['layer_types', { ...qwen2, layer_types: ['full_attention'] }],
    ['layer_types', { ...qwen2, layer_types: ['sliding_attention', 'full_attention', 'full_attention'] }],
    ['rope_theta', { rope_theta: [10000, 20000] }],
    ['partial_rotary_factor', { model_type: 'phi3', partial_rotary_factor: 0 }],
    ['partial_rotary_factor', { model_type: 'phi3', partial_rotary_factor: 1.5 }],
    ['partial_rotary_factor', { model_type: 'phi3', partial_rotary_factor: 0.3 }],
    ['factor', { rope_scaling: { rope_type: 'dynamic', factor: 0 } }],
    ['beta_fast', { rope_scaling: { rope_type: 'yarn', factor: 4, beta_fast: -1 } }],
    ['truncate', { rope_scaling: { rope_type: 'yarn', factor: 4, truncate: 'no' } }],
    ['original_max_position_embeddings', { rope_scaling: { rope_type: 'yarn', original_max_position_embeddings: 0 } }],
    ['short_factor', { ...longrope, rope_scaling: { rope_type: 'longrope', long_factor: [1, 2] } }],
    ['short_factor', { ...longrope, rope_scaling: { rope_type: 'longrope', short_factor: [1], long_factor: [1, 2] } }],
    [
      'long_factor',
      { ...longrope, rope_scaling: { rope_type: 'longrope', short_factor: [1, 2], long_factor: [1, 0] } },
    ],
    [
      'long_factor',
      { ...longrope, rope_scaling: { rope_type: 'longrope', short_factor: [1, 2], long_factor: ['1', 2] } },
    ],
    ['sliding_window', { model_type: 'phi3', sliding_window: -1 }],
    ['sliding_window', { ...gemma2, sliding_window: 2.5 }],
    ['layer_types', { ...gemma2, sliding_window: null }],
    ['layer_types', { ...gemma2, layer_types: ['full_attention'] }],
    ['layer_types', { ...gemma2, layer_types: 'full_attention' }],
    ['attn_logit_softcapping', { ...gemma2, attn_logit_softcapping: -50 }],
    ['attn_logit_softcapping', { ...gemma2, attn_logit_softcapping: 0 }],
    ['attn_logit_softcapping', { ...gemma2, attn_logit_softcapping: true }],
    ['final_logit_softcapping', { ...gemma2, final_logit_softcapping: '30' }],
    ['query_pre_attn_scalar', { ...gemma2, query_pre_attn_scalar: 0 }],
    ['query_pre_attn_scalar', { ...gemma2, query_pre_attn_scalar: null }],
    ['final_logit_softcapping', { ...gemma3, final_logit_softcapping: -1 }],
    ['sliding_window_pattern', { ...gemma3, sliding_window_pattern: 0 }],
    ['sliding_window_pattern', { ...gemma3, sliding_window_pattern: null }],
    ['rope_local_base_freq', { ...gemma3, rope_local_base_freq: 0 }],
    ['rope_local_base_freq', { ...gemma3, rope_local_base_freq: null }],
    ['embedding_multiplier', { model_type: 'granite', embedding_multiplier: -12 }],
    ['embedding_multiplier', { model_type: 'granite', embedding_multiplier: null }],
    ['residual_multiplier', { model_type: 'granite', residual_multiplier: '0.22' }],
    ['attention_multiplier', { model_type: 'granite', attention_multiplier: null }],
    ['logits_scaling', { model_type: 'granite', logits_scaling: 0 }],
    ['no_rope_layers', { ...smollm3, no_rope_layers: [1, 1] }],
    ['no_rope_layers', { ...smollm3, no_rope_layers: [1, 2, 1] }],
    ['no_rope_layers', { ...smollm3, no_rope_layers: 4 }],
    ['no_rope_layer_interval', { ...smollm3, no_rope_layer_interval: 0 }],
    ['no_rope_layer_interval', { ...smollm3, no_rope_layer_interval: null }],
  ];
  for (const [field, changes] of invalid) {
    const value = JSON.stringify(Object.values(changes).at(-1)) ?? 'nothing';
    it(`names the field where ${field} is impossible: ${value}`, () =>
      rejects(() => readConfigArchitecture({ ...CONFIG, ...changes }), new RegExp(`config\\.json: .*${field}`)));
  }
});
