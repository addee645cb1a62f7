/**
 * Configs of models that people use, as they are published: each is read with the right number of parameters, or refused
 * for what it is. The strict reading of unknown settings must not refuse a model that Coppice computes.
 */
import assert from 'node:assert/strict';
import type { Architecture, LayerShape } from '../../../src/engine/checkpoint/architecture';
import { readConfigArchitecture } from '../../../src/engine/checkpoint/config';
import { parametersOf } from '../../../src/engine/checkpoint/parameters';
import { attentionOf } from '../../../src/engine/checkpoint/kinds/parts';
import { plainShape } from '../../../src/engine/checkpoint/kinds/plain';
import type { Config } from '../../support/checkpoint-files';

/** What most files have and nobody computes with. */
const USUAL: Config = {
  attention_dropout: 0,
  bos_token_id: 1,
  eos_token_id: 2,
  hidden_act: 'silu',
  initializer_range: 0.02,
  rope_scaling: null,
  torch_dtype: 'bfloat16',
  transformers_version: '4.45.0.dev0',
  use_cache: true,
};

type Shape = readonly [hidden: number, ffn: number, blocks: number, heads: number, kvHeads: number, vocabulary: number];

const model = (type: string, name: string, [hidden, ffn, blocks, heads, kv, words]: Shape, own: Config): Config => ({
  ...USUAL,
  model_type: type,
  architectures: [`${name}ForCausalLM`],
  hidden_size: hidden,
  intermediate_size: ffn,
  num_hidden_layers: blocks,
  num_attention_heads: heads,
  num_key_value_heads: kv,
  vocab_size: words,
  ...own,
});

const PHI3: Config = {
  _name_or_path: 'Phi-3-mini-4k-instruct',
  attention_bias: false,
  auto_map: { AutoConfig: 'configuration_phi3.Phi3Config', AutoModelForCausalLM: 'modeling_phi3.Phi3ForCausalLM' },
  embd_pdrop: 0,
  resid_pdrop: 0,
  original_max_position_embeddings: 4096,
  pad_token_id: 32000,
  rms_norm_eps: 1e-5,
  rope_theta: 10000,
  tie_word_embeddings: false,
};
const factors = (kind: string, pairs: number): Config => ({
  type: kind,
  short_factor: Array<number>(pairs).fill(1.05),
  long_factor: Array<number>(pairs).fill(24.5),
});
const GEMMA: Config = {
  attention_bias: false,
  head_dim: 256,
  hidden_act: 'gelu_pytorch_tanh',
  pad_token_id: 0,
  rms_norm_eps: 1e-6,
};
const VISION: Config = { hidden_size: 1152, image_size: 896, model_type: 'siglip_vision_model', patch_size: 14 };

interface Read {
  readonly config: Config;
  /** As published with the model. */
  readonly parameters: number;
  readonly is?: (architecture: Architecture) => void;
}

const windows = ({ layers }: Architecture): (number | null)[] => layers.map(plainShape).map(({ window }) => window);
const first = ({ layers }: Architecture): LayerShape => layers[0];

const READ: Readonly<Record<string, Read>> = {
  'Llama 3.2 1B': {
    config: model('llama', 'Llama', [2048, 8192, 16, 32, 8, 128256], {
      attention_bias: false,
      head_dim: 64,
      max_position_embeddings: 131072,
      mlp_bias: false,
      pretraining_tp: 1,
      rms_norm_eps: 1e-5,
      rope_scaling: {
        factor: 32,
        high_freq_factor: 4,
        low_freq_factor: 1,
        original_max_position_embeddings: 8192,
        rope_type: 'llama3',
      },
      rope_theta: 500000,
      tie_word_embeddings: true,
    }),
    parameters: 1_235_814_400,
    is: (a) => assert.equal(plainShape(first(a)).rope?.scaling.kind, 'llama3'),
  },
  'SmolLM2 135M': {
    config: model('llama', 'Llama', [576, 1536, 30, 9, 3, 49152], {
      attention_bias: false,
      is_llama_config: true,
      max_position_embeddings: 8192,
      mlp_bias: false,
      pad_token_id: 2,
      pretraining_tp: 1,
      rms_norm_eps: 1e-5,
      rope_interleaved: false,
      rope_theta: 100000,
      tie_word_embeddings: true,
      'transformers.js_config': { kv_cache_dtype: { q4f16: 'float16', fp16: 'float16' } },
    }),
    parameters: 134_515_008,
  },
  'TinyLlama 1.1B': {
    config: model('llama', 'Llama', [2048, 5632, 22, 32, 4, 32000], {
      max_position_embeddings: 2048,
      pretraining_tp: 1,
      rms_norm_eps: 1e-5,
      tie_word_embeddings: false,
      unsloth_fixed: true,
      unsloth_version: '2024.9',
    }),
    parameters: 1_100_048_384,
  },
  'Mistral 7B 0.1': {
    config: model('mistral', 'Mistral', [4096, 14336, 32, 32, 8, 32000], {
      max_position_embeddings: 32768,
      rms_norm_eps: 1e-5,
      rope_theta: 10000,
      sliding_window: 4096,
      tie_word_embeddings: false,
      _flash_attn_2_enabled: true,
    }),
    parameters: 7_241_732_096,
    is: (a) => assert.deepEqual(windows(a), Array(32).fill(4096)),
  },
  'Mistral 7B 0.3': {
    config: model('mistral', 'Mistral', [4096, 14336, 32, 32, 8, 32768], {
      max_position_embeddings: 32768,
      rms_norm_eps: 1e-5,
      rope_theta: 1000000,
      sliding_window: null,
      tie_word_embeddings: false,
    }),
    parameters: 7_248_023_552,
    is: (a) => assert.deepEqual(windows(a), Array(32).fill(null)),
  },
  'Qwen2.5 0.5B': {
    config: model('qwen2', 'Qwen2', [896, 4864, 24, 14, 2, 151936], {
      max_position_embeddings: 32768,
      max_window_layers: 24,
      rms_norm_eps: 1e-6,
      rope_theta: 1000000,
      sliding_window: 32768,
      tie_word_embeddings: true,
      use_mrope: false,
      use_sliding_window: false,
    }),
    parameters: 494_032_768,
    is: (a) => assert.deepEqual(windows(a), Array(24).fill(null)),
  },
  'Qwen2.5 7B 1M': {
    config: model('qwen2', 'Qwen2', [3584, 18944, 28, 28, 4, 152064], {
      dual_chunk_attention_config: { chunk_size: 262144, local_size: 8192, original_max_position_embeddings: 262144 },
      max_position_embeddings: 1010000,
      max_window_layers: 28,
      rms_norm_eps: 1e-5,
      rope_theta: 10000000,
      sliding_window: 32768,
      tie_word_embeddings: false,
      use_sliding_window: false,
    }),
    parameters: 7_615_616_512,
  },
  'Qwen3 0.6B': {
    config: model('qwen3', 'Qwen3', [1024, 3072, 28, 16, 8, 151936], {
      attention_bias: false,
      head_dim: 128,
      max_position_embeddings: 40960,
      max_window_layers: 28,
      rms_norm_eps: 1e-6,
      rope_theta: 1000000,
      sliding_window: null,
      tie_word_embeddings: true,
      use_sliding_window: false,
    }),
    parameters: 596_049_920,
    is: (a) => assert.equal(plainShape(first(a)).qkNorm, 'head'),
  },
  'Gemma 2B': {
    config: model('gemma', 'Gemma', [2048, 16384, 18, 8, 1, 256000], {
      ...GEMMA,
      hidden_act: 'gelu',
      hidden_activation: null,
      max_position_embeddings: 8192,
      rope_theta: 10000,
    }),
    parameters: 2_506_172_416,
    is: ({ tied, style }) => assert.deepEqual([tied, style.activation, style.normOffset], [true, 'gelu', 1]),
  },
  'Gemma 2 2B': {
    config: model('gemma2', 'Gemma2', [2304, 9216, 26, 8, 4, 256000], {
      ...GEMMA,
      attn_logit_softcapping: 50,
      cache_implementation: 'hybrid',
      final_logit_softcapping: 30,
      hidden_activation: 'gelu_pytorch_tanh',
      max_position_embeddings: 8192,
      query_pre_attn_scalar: 256,
      rope_theta: 10000,
      sliding_window: 4096,
    }),
    parameters: 2_614_341_888,
    is: (a) => {
      assert.deepEqual(windows(a).slice(0, 3), [4096, null, 4096]);
      assert.deepEqual([a.style.scoreCap, a.style.logitCap, a.style.scoreScale], [50, 30, 1 / 16]);
    },
  },
  'Gemma 3 1B': {
    config: model('gemma3_text', 'Gemma3', [1152, 6912, 26, 4, 1, 262144], {
      ...GEMMA,
      hidden_act: undefined,
      attn_logit_softcapping: null,
      cache_implementation: 'hybrid',
      final_logit_softcapping: null,
      hidden_activation: 'gelu_pytorch_tanh',
      max_position_embeddings: 32768,
      query_pre_attn_scalar: 256,
      rope_local_base_freq: 10000,
      rope_theta: 1000000,
      sliding_window: 512,
      sliding_window_pattern: 6,
    }),
    parameters: 999_885_952,
    is: (a) => {
      assert.deepEqual(windows(a).slice(0, 7), [512, 512, 512, 512, 512, null, 512]);
      assert.deepEqual([plainShape(a.layers[0]).rope?.theta, plainShape(a.layers[5]).rope?.theta], [1e4, 1e6]);
    },
  },
  'Gemma 3 4B': {
    config: {
      architectures: ['Gemma3ForConditionalGeneration'],
      boi_token_index: 255999,
      eoi_token_index: 256000,
      eos_token_id: [1, 106],
      image_token_index: 262144,
      initializer_range: 0.02,
      mm_tokens_per_image: 256,
      model_type: 'gemma3',
      text_config: {
        hidden_size: 2560,
        intermediate_size: 10240,
        model_type: 'gemma3_text',
        num_hidden_layers: 34,
        rope_scaling: { factor: 8, rope_type: 'linear' },
        sliding_window: 1024,
      },
      torch_dtype: 'bfloat16',
      transformers_version: '4.50.0.dev0',
      vision_config: VISION,
    },
    parameters: 3_880_263_168,
    is: (a) => {
      assert.deepEqual([a.family, a.tied, a.eosTokenIds], ['gemma3_text', true, [1, 106]]);
      assert.deepEqual(
        [plainShape(first(a)).rope?.scaling.kind, plainShape(a.layers[5]).rope?.scaling.kind],
        ['default', 'linear'],
      );
    },
  },
  'Phi-3-mini-4k': {
    config: model('phi3', 'Phi3', [3072, 8192, 32, 32, 32, 32064], {
      ...PHI3,
      max_position_embeddings: 4096,
      sliding_window: 2047,
    }),
    parameters: 3_821_079_552,
    is: (a) => assert.deepEqual([plainShape(first(a)).fused, plainShape(first(a)).window], [true, 2047]),
  },
  'Phi-3-mini-128k, its first config': {
    config: model('phi3', 'Phi3', [3072, 8192, 32, 32, 32, 32064], {
      ...PHI3,
      max_position_embeddings: 131072,
      rope_scaling: factors('su', 48),
      sliding_window: 262144,
    }),
    parameters: 3_821_079_552,
    is: (a) => assert.equal(plainShape(first(a)).rope?.scaling.kind, 'longrope'),
  },
  'Phi-3.5-mini': {
    config: model('phi3', 'Phi3', [3072, 8192, 32, 32, 32, 32064], {
      ...PHI3,
      max_position_embeddings: 131072,
      rope_scaling: factors('longrope', 48),
      sliding_window: 262144,
    }),
    parameters: 3_821_079_552,
  },
  'Phi-4': {
    config: model('phi3', 'Phi3', [5120, 17920, 40, 40, 10, 100352], {
      ...PHI3,
      max_position_embeddings: 16384,
      original_max_position_embeddings: 16384,
      rope_theta: 250000,
      sliding_window: null,
    }),
    parameters: 14_659_507_200,
  },
  'Phi-4-mini': {
    config: model('phi3', 'Phi3', [3072, 8192, 32, 24, 8, 200064], {
      ...PHI3,
      full_attn_mod: 1,
      interpolate_factor: 1,
      lm_head_bias: false,
      max_position_embeddings: 131072,
      mlp_bias: false,
      partial_rotary_factor: 0.75,
      rope_scaling: factors('longrope', 48),
      sliding_window: 262144,
      tie_word_embeddings: true,
    }),
    parameters: 3_836_021_760,
    is: (a) => assert.equal(plainShape(first(a)).rope?.turned, 96),
  },
  'Granite 3.1 2B': {
    config: model('granite', 'Granite', [2048, 8192, 40, 32, 8, 49155], {
      attention_bias: false,
      attention_multiplier: 0.015625,
      embedding_multiplier: 12,
      logits_scaling: 8,
      max_position_embeddings: 131072,
      mlp_bias: false,
      residual_multiplier: 0.22,
      rms_norm_eps: 1e-5,
      rope_theta: 5000000,
      tie_word_embeddings: true,
    }),
    parameters: 2_533_531_648,
    is: ({ style }) =>
      assert.deepEqual(
        [style.scoreScale, style.embedScale, style.residualScale, style.logitScale],
        [0.015625, 12, 0.22, 1 / 8],
      ),
  },
  'OLMo 2 1B': {
    config: model('olmo2', 'Olmo2', [2048, 8192, 16, 16, 16, 100352], {
      attention_bias: false,
      max_position_embeddings: 4096,
      pad_token_id: 100277,
      rms_norm_eps: 1e-6,
      rope_theta: 500000,
      tie_word_embeddings: false,
    }),
    parameters: 1_484_916_736,
    is: (a) => assert.deepEqual([a.style.norms, plainShape(first(a)).qkNorm], ['after', 'width']),
  },
  'SmolLM3 3B': {
    config: model('smollm3', 'SmolLM3', [2048, 11008, 36, 16, 4, 128256], {
      attention_bias: false,
      layer_types: Array<string>(36).fill('full_attention'),
      max_position_embeddings: 65536,
      max_window_layers: 28,
      mlp_bias: false,
      no_rope_layer_interval: 4,
      no_rope_layers: Array.from({ length: 36 }, (_, i) => (i % 4 === 3 ? 0 : 1)),
      pretraining_tp: 2,
      rms_norm_eps: 1e-6,
      rope_theta: 5000000,
      sliding_window: null,
      use_sliding_window: false,
    }),
    parameters: 3_075_098_624,
    is: (a) =>
      assert.deepEqual([plainShape(a.layers[2]).rope?.theta, plainShape(a.layers[3]).rope, a.tied], [5e6, null, true]),
  },
  'Qwen3 30B-A3B': {
    config: model('qwen3_moe', 'Qwen3Moe', [2048, 6144, 48, 32, 4, 151936], {
      attention_bias: false,
      decoder_sparse_step: 1,
      head_dim: 128,
      max_position_embeddings: 40960,
      max_window_layers: 48,
      mlp_only_layers: [],
      moe_intermediate_size: 768,
      norm_topk_prob: true,
      num_experts: 128,
      num_experts_per_tok: 8,
      output_router_logits: false,
      rms_norm_eps: 1e-6,
      rope_theta: 1000000.0,
      router_aux_loss_coef: 0.001,
      sliding_window: null,
      tie_word_embeddings: false,
      use_sliding_window: false,
    }),
    parameters: 30_532_122_624,
    is: (a) => assert.deepEqual(first(a).ffn, { kind: 'experts', count: 128, chosen: 8, width: 768, weighs: 'chosen' }),
  },
  'Mixtral 8x7B': {
    config: model('mixtral', 'Mixtral', [4096, 14336, 32, 32, 8, 32000], {
      max_position_embeddings: 32768,
      num_experts_per_tok: 2,
      num_local_experts: 8,
      output_router_logits: false,
      rms_norm_eps: 1e-5,
      rope_theta: 1000000.0,
      router_aux_loss_coef: 0.02,
      sliding_window: null,
      tie_word_embeddings: false,
    }),
    parameters: 46_702_792_704,
    is: (a) => assert.deepEqual(first(a).ffn, { kind: 'experts', count: 8, chosen: 2, width: 14336, weighs: 'chosen' }),
  },
  'OLMoE 1B-7B': {
    config: model('olmoe', 'Olmoe', [2048, 1024, 16, 16, 16, 50304], {
      attention_bias: false,
      clip_qkv: null,
      max_position_embeddings: 4096,
      norm_topk_prob: false,
      num_experts: 64,
      num_experts_per_tok: 8,
      output_router_logits: false,
      rms_norm_eps: 1e-5,
      rope_theta: 10000.0,
      router_aux_loss_coef: 0.01,
      tie_word_embeddings: false,
    }),
    parameters: 6_919_161_856,
    is: (a) => assert.deepEqual(first(a).ffn, { kind: 'experts', count: 64, chosen: 8, width: 1024, weighs: 'all' }),
  },
  'LFM2 350M': {
    config: model('lfm2', 'Lfm2', [1024, 6656, 16, 16, 8, 65536], {
      block_auto_adjust_ff_dim: true,
      block_dim: 1024,
      block_ff_dim: 6656,
      block_ffn_dim_multiplier: 1.0,
      block_mlp_init_scale: 1.0,
      block_multiple_of: 256,
      block_norm_eps: 1e-5,
      block_out_init_scale: 1.0,
      block_use_swiglu: true,
      block_use_xavier_init: true,
      conv_L_cache: 3,
      conv_bias: false,
      conv_dim: 1024,
      conv_dim_out: 1024,
      conv_use_xavier_init: true,
      eos_token_id: 7,
      full_attn_idxs: [2, 5, 8, 10, 12, 14],
      max_position_embeddings: 128000,
      norm_eps: 1e-5,
      num_heads: 16,
      rope_theta: 1000000.0,
    }),
    parameters: 354_483_968,
    is: ({ layers, tied }) => {
      assert.equal(layers.map(({ mixer }) => mixer.kind.charAt(0)).join(''), 'ccaccaccacacacac');
      assert.deepEqual([layers[0].ffn, tied], [{ kind: 'dense', width: 4608, biases: [], fused: false }, true]);
    },
  },
  // Its experts are stored in four bits.
  'gpt-oss 20B': {
    config: model('gpt_oss', 'GptOss', [2880, 2880, 24, 64, 8, 201088], {
      attention_bias: true,
      eos_token_id: 200002,
      experts_per_token: 4,
      head_dim: 64,
      initial_context_length: 4096,
      layer_types: Array.from({ length: 24 }, (_, i) => (i % 2 === 0 ? 'sliding_attention' : 'full_attention')),
      max_position_embeddings: 131072,
      num_experts_per_tok: 4,
      num_local_experts: 32,
      output_router_logits: false,
      quantization_config: { modules_to_not_convert: ['model.layers.*.self_attn'], quant_method: 'mxfp4' },
      rms_norm_eps: 1e-5,
      rope_scaling: {
        beta_fast: 32.0,
        beta_slow: 1.0,
        factor: 32.0,
        original_max_position_embeddings: 4096,
        rope_type: 'yarn',
        truncate: false,
      },
      rope_theta: 150000,
      router_aux_loss_coef: 0.9,
      sliding_window: 128,
      swiglu_limit: 7.0,
      tie_word_embeddings: false,
    }),
    parameters: 20_914_757_184,
    is: (a) => {
      const experts = { kind: 'experts', count: 32, chosen: 4, width: 2880, weighs: 'chosen' };
      assert.deepEqual(first(a).ffn, { ...experts, biased: true, form: 'clamped' });
      const second = attentionOf(a.layers[1]);
      assert.deepEqual([attentionOf(first(a)).window, second.window, second.sinks], [128, null, true]);
    },
  },
  'Granite 4.0 H Tiny': {
    config: model('granitemoehybrid', 'GraniteMoeHybrid', [1536, 512, 40, 12, 4, 100352], {
      attention_multiplier: 0.0078125,
      embedding_multiplier: 12,
      layer_types: Array.from({ length: 40 }, (_, block) => (block % 10 === 5 ? 'attention' : 'mamba')),
      logits_scaling: 6,
      mamba_chunk_size: 256,
      mamba_conv_bias: true,
      mamba_d_conv: 4,
      mamba_d_head: 64,
      mamba_d_state: 128,
      mamba_expand: 2,
      mamba_n_groups: 1,
      mamba_n_heads: 48,
      mamba_proj_bias: false,
      max_position_embeddings: 131072,
      num_experts_per_tok: 6,
      num_local_experts: 64,
      position_embedding_type: 'nope',
      residual_multiplier: 0.22,
      shared_intermediate_size: 1024,
      tie_word_embeddings: true,
    }),
    parameters: 6_939_037_248,
    is: (a) => {
      const shared = { kind: 'dense', width: 1024, biases: [], fused: true };
      const experts = { kind: 'experts', count: 64, chosen: 6, width: 512, weighs: 'chosen' };
      assert.deepEqual(first(a).ffn, { ...experts, shared });
      const attending = [...a.layers.keys()].filter((block) => a.layers[block].mixer.kind === 'attention');
      assert.deepEqual(attending, [5, 15, 25, 35]);
      assert.equal(attentionOf(a.layers[5]).rope, null);
    },
  },
};

const REFUSED: readonly (readonly [title: string, config: Config, pattern: RegExp])[] = [
  [
    'Qwen1.5 MoE A2.7B',
    model('qwen2_moe', 'Qwen2Moe', [2048, 5632, 24, 16, 16, 151936], { num_experts: 60 }),
    /a mixture of experts/,
  ],
  [
    'Gemma 3n E2B',
    { ...USUAL, model_type: 'gemma3n', text_config: { model_type: 'gemma3n_text' }, vision_config: VISION },
    /"gemma3n" is a Gemma 3n: its blocks have inputs of their own/,
  ],
  [
    'Qwen2.5-VL 3B',
    model('qwen2_5_vl', 'Qwen2', [2048, 11008, 36, 16, 2, 151936], { vision_config: VISION }),
    /"qwen2_5_vl" is a multimodal model/,
  ],
  [
    'SmolVLM',
    { ...USUAL, model_type: 'smolvlm', text_config: { model_type: 'llama' }, vision_config: VISION },
    /"smolvlm" is a multimodal model[^]*language model \(llama\) is nested in text_config/,
  ],
];

describe('configs of real models', () => {
  for (const [title, { config, parameters, is }] of Object.entries(READ)) {
    it(`reads ${title}`, () => {
      const architecture = readConfigArchitecture(config);
      assert.ok(!('why' in architecture), 'why' in architecture ? architecture.why : '');
      assert.equal(parametersOf(architecture), parameters);
      is?.(architecture);
    });
  }

  for (const [title, config, pattern] of REFUSED) {
    it(`refuses ${title} for what it is`, () => {
      const result = readConfigArchitecture(config);
      assert.ok('why' in result);
      assert.match(`${result.why}\n${result.action}`, pattern);
      assert.match(result.action, /can be inspected/);
    });
  }
});
