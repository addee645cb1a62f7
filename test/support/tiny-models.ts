/**
 * Seeded toy checkpoints, one architectural feature each, that tests write themselves: with these a clone that has
 * nothing beside it still proves the engine. The weights are random, of a size that makes every block matter.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeSafetensors, type TestDtype, type TestTensor } from './safetensors';
import { temporaryFolder } from './temporary';
import { tinyTensors, toyLayer, type TinyModel, type ToyLayer } from './tiny-tensors';
import { TINY_SPECIALS, writeTinyTokenizer } from './tiny-tokenizer';

/** The config that every toy starts from; the layout of transformers 4. */
const BASE = {
  architectures: ['LlamaForCausalLM'],
  model_type: 'llama',
  hidden_act: 'silu',
  hidden_size: 64,
  intermediate_size: 96,
  num_hidden_layers: 4,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  vocab_size: 288,
  max_position_embeddings: 256,
  rms_norm_eps: 1e-5,
  rope_theta: 10000,
  tie_word_embeddings: false,
  pad_token_id: TINY_SPECIALS.pad,
  bos_token_id: TINY_SPECIALS.bos,
  eos_token_id: TINY_SPECIALS.eos,
  torch_dtype: 'float32',
};

const untied = { tie_word_embeddings: false };
const plain = { dtype: 'F32', shards: 1, bias: [], qkNorm: null } as const;
const qwen2 = { architectures: ['Qwen2ForCausalLM'], model_type: 'qwen2' };
const phi3 = { architectures: ['Phi3ForCausalLM'], model_type: 'phi3' };
const llama3Rope = { factor: 8, low_freq_factor: 1, high_freq_factor: 4, original_max_position_embeddings: 32 };

const MODELS = {
  'llama-plain': { ...plain, config: { num_key_value_heads: 4 } },
  'llama-gqa-tied': { ...plain, dtype: 'BF16', config: { tie_word_embeddings: true } },
  'llama-bias': { ...plain, bias: ['qkv', 'o', 'mlp'], config: { attention_bias: true, mlp_bias: true } },
  'llama3-rope': {
    ...plain,
    dtype: 'F16',
    shards: 3,
    config: { rope_theta: 500000, rope_scaling: { rope_type: 'llama3', ...llama3Rope } },
  },
  'llama-linear-rope': { ...plain, config: { rope_scaling: { type: 'linear', factor: 4 } } },
  // transformers 5 layout: rope_parameters and dtype
  'llama-rope-parameters': {
    ...plain,
    dtype: 'BF16',
    config: { rope_theta: undefined, rope_parameters: { rope_type: 'llama3', rope_theta: 50000, ...llama3Rope } },
  },
  'llama-wide-heads': { ...plain, dtype: 'F16', config: { head_dim: 24, tie_word_embeddings: true } },
  'mistral-window': {
    ...plain,
    dtype: 'BF16',
    shards: 5,
    config: {
      architectures: ['MistralForCausalLM'],
      model_type: 'mistral',
      num_key_value_heads: 1,
      sliding_window: 7,
    },
  },
  'qwen2-mixed-windows': {
    ...plain,
    bias: ['qkv'],
    config: {
      ...qwen2,
      tie_word_embeddings: true,
      use_sliding_window: true,
      sliding_window: 6,
      max_window_layers: 2,
    },
  },
  'qwen2-layer-types': {
    ...plain,
    dtype: 'F16',
    bias: ['qkv'],
    config: {
      ...qwen2,
      use_sliding_window: true,
      sliding_window: 5,
      layer_types: ['sliding_attention', 'full_attention', 'sliding_attention', 'full_attention'],
    },
  },
  'qwen3-qknorm': {
    ...plain,
    dtype: 'BF16',
    qkNorm: 'head',
    config: {
      architectures: ['Qwen3ForCausalLM'],
      model_type: 'qwen3',
      head_dim: 24,
      rms_norm_eps: 1e-6,
      attention_bias: false,
    },
  },
} as const satisfies Record<string, TinyModel>;

const absent = { tie_word_embeddings: undefined, hidden_act: undefined };
const gemmaLike = { ...plain, normMean: 0, tied: true } as const;
/** Pairs of a head of the toys. */
const PAIRS = 8;

/** Families whose block differs from LLaMA's, and further kinds of rotation. */
const FURTHER = {
  'gemma-tied': {
    ...gemmaLike,
    dtype: 'BF16',
    embedding: 0.1,
    config: {
      ...absent,
      architectures: ['GemmaForCausalLM'],
      model_type: 'gemma',
      hidden_act: 'gelu',
      head_dim: 24,
      num_key_value_heads: 1,
    },
  },
  // Windows by the rule for absent lists: on blocks 0 and 2.
  'gemma2-softcap': {
    ...gemmaLike,
    norms: 'both',
    embedding: 0.2,
    config: {
      ...absent,
      architectures: ['Gemma2ForCausalLM'],
      model_type: 'gemma2',
      hidden_activation: 'gelu_pytorch_tanh',
      head_dim: 24,
      query_pre_attn_scalar: 10,
      attn_logit_softcapping: 2,
      final_logit_softcapping: 3,
      sliding_window: 5,
    },
  },
  // Blocks 0 and 2 slide and turn by the local base, 1 and 3 are scaled.
  'gemma3-pattern': {
    ...gemmaLike,
    dtype: 'F16',
    qkNorm: 'head',
    norms: 'both',
    embedding: 0.2,
    config: {
      ...absent,
      architectures: ['Gemma3ForCausalLM'],
      model_type: 'gemma3_text',
      hidden_activation: 'gelu_pytorch_tanh',
      head_dim: 16,
      query_pre_attn_scalar: 24,
      sliding_window: 6,
      sliding_window_pattern: 2,
      rope_local_base_freq: 500,
      rope_theta: 100000,
      rope_scaling: { rope_type: 'linear', factor: 4 },
    },
  },
  'phi3-partial': {
    ...plain,
    dtype: 'BF16',
    shards: 2,
    fused: true,
    config: { ...phi3, partial_rotary_factor: 0.5, sliding_window: 7 },
  },
  // Rows of more than 16 tokens turn by the long factors.
  'phi3-longrope': {
    ...plain,
    fused: true,
    config: {
      ...phi3,
      original_max_position_embeddings: 16,
      rope_scaling: {
        type: 'longrope',
        short_factor: Array.from({ length: PAIRS }, (_, j) => 1 + 0.1 * j),
        long_factor: Array.from({ length: PAIRS }, (_, j) => 1.5 + j),
      },
    },
  },
  'granite-multipliers': {
    ...plain,
    dtype: 'BF16',
    bias: ['qkv', 'o'],
    embedding: 0.1,
    config: {
      architectures: ['GraniteForCausalLM'],
      model_type: 'granite',
      attention_bias: true,
      embedding_multiplier: 6,
      attention_multiplier: 0.35,
      residual_multiplier: 0.5,
      logits_scaling: 0.7,
      tie_word_embeddings: true,
    },
  },
  'olmo2-postnorm': {
    ...plain,
    qkNorm: 'width',
    norms: 'after',
    config: { architectures: ['Olmo2ForCausalLM'], model_type: 'olmo2' },
  },
  // Block 2 has no rotation, and so, without a list, a window.
  'smollm3-nope': {
    ...plain,
    dtype: 'F16',
    config: {
      architectures: ['SmolLM3ForCausalLM'],
      model_type: 'smollm3',
      no_rope_layers: [1, 1, 0, 1],
      use_sliding_window: true,
      sliding_window: 6,
      tie_word_embeddings: true,
    },
  },
  'llama-yarn': {
    ...plain,
    config: { rope_scaling: { rope_type: 'yarn', factor: 4, beta_fast: 8, original_max_position_embeddings: 64 } },
  },
  // Rows of more than 16 tokens turn by a larger base.
  'llama-dynamic': {
    ...plain,
    dtype: 'BF16',
    config: { max_position_embeddings: 16, rope_scaling: { rope_type: 'dynamic', factor: 3 } },
  },
} as const satisfies Record<string, TinyModel>;

const SHAPES: readonly ToyLayer[] = [
  toyLayer({}),
  toyLayer({ num_attention_heads: 2, num_key_value_heads: 1, intermediate_size: 40, sliding_window: 5 }),
  toyLayer({ num_attention_heads: 6, num_key_value_heads: 3, head_dim: 8, intermediate_size: 128, rope_theta: 500 }),
  toyLayer({ num_attention_heads: 1, num_key_value_heads: 1, head_dim: 24, intermediate_size: 24, rope_theta: null }),
];
const BIASES = [['q', 'k', 'v'], ['o', 'down'], [], ['q', 'k', 'v', 'o', 'gate', 'up', 'down']];

/** Toys whose blocks differ in heads, widths, windows and rotations, without biases and with. */
const RAGGED = {
  'ragged-plain': { ...plain, config: { toy_layers: SHAPES } },
  'ragged-bias': {
    ...plain,
    dtype: 'BF16',
    shards: 3,
    config: {
      tie_word_embeddings: true,
      toy_layers: SHAPES.map((layer, i) => ({ ...layer, bias: BIASES[i], qk_norm: i % 2 === 1 })),
    },
  },
} as const satisfies Record<string, TinyModel>;

/** The config of a ragged toy that is small enough to move every weight by itself. */
export function smallRagged(name: keyof typeof RAGGED): Readonly<Record<string, unknown>> {
  const layers: readonly ToyLayer[] = RAGGED[name].config.toy_layers;
  return {
    hidden_size: 8,
    toy_layers: layers.map((layer) => ({
      ...layer,
      head_dim: layer.head_dim / 4,
      intermediate_size: layer.intermediate_size / 8,
      sliding_window: layer.sliding_window && 3,
    })),
  };
}

/**
 * Config of toys whose heads are 4 wide that makes their features take effect in `length` tokens: windows, bounds of
 * contexts, lists by pair.
 */
export function shortConfig(name: TinyName, length: number): Readonly<Record<string, unknown>> {
  const window = { sliding_window: length - 1 };
  if (/window|layer-types|softcap|pattern|partial/.test(name)) return window;
  if (name === 'smollm3-nope') return { ...window, no_rope_layers: [1, 0, 0, 1] };
  if (name === 'llama-dynamic') return { max_position_embeddings: length - 1 };
  if (name !== 'phi3-longrope') return {};
  const { type } = FURTHER[name].config.rope_scaling;
  const rope_scaling = { type, short_factor: [1, 1.3], long_factor: [1.5, 3] };
  return { original_max_position_embeddings: length - 1, rope_scaling };
}

export type TinyName = keyof typeof MODELS | keyof typeof FURTHER | keyof typeof RAGGED;

/** The names of the toys that a config describes. */
export const TINY_MODELS = Object.keys({ ...MODELS, ...FURTHER }) as (keyof typeof MODELS | keyof typeof FURTHER)[];

/** Those that turn otherwise in texts of more than 16 tokens. */
export const LENGTH_DEPENDENT_MODELS: readonly TinyName[] = ['phi3-longrope', 'llama-dynamic'];

/** The names of the ragged toys. */
export const RAGGED_MODELS = Object.keys(RAGGED) as (keyof typeof RAGGED)[];

export interface TinyOptions {
  readonly seed?: number;
  readonly dtype?: TestDtype;
  readonly shards?: number;
  /** Also write a tokenizer. */
  readonly tokenizer?: boolean;
  /** Biases beside those of the toy. */
  readonly bias?: TinyModel['bias'];
  /** Store a head although the config ties it to the embedding: one of its own, or the embedding a second time. */
  readonly storedHead?: 'own' | 'copy';
  /** Config keys to set on top of the toy's own; tensors follow their sizes. */
  readonly config?: Readonly<Record<string, unknown>>;
}

const written = new Map<string, string>();

/** A folder with a toy checkpoint that a test may change. */
export function ownTinyCheckpoint(name: TinyName, options: TinyOptions = {}): string {
  const folder = temporaryFolder();
  writeTinyCheckpoint(folder, name, options);
  return folder;
}

/**
 * The folder of a toy checkpoint; written once a process for the same options, removed when that exits, and not to be
 * changed.
 */
export function tinyCheckpoint(name: TinyName, options: TinyOptions = {}): string {
  const key = JSON.stringify([name, options]);
  let folder = written.get(key);
  if (folder === undefined) {
    folder = ownTinyCheckpoint(name, options);
    written.set(key, folder);
  }
  return folder;
}

/** Writes a toy checkpoint into an existing folder. */
export function writeTinyCheckpoint(folder: string, name: TinyName, options: TinyOptions = {}): void {
  const toy: TinyModel = { ...MODELS, ...FURTHER, ...RAGGED }[name];
  const { dtype = toy.dtype, bias = [] } = options;
  const model: TinyModel = { ...toy, dtype, bias: [...toy.bias, ...bias] };
  const torchDtype = { F32: 'float32', F16: 'float16', BF16: 'bfloat16' }[model.dtype];
  const config = { ...BASE, torch_dtype: torchDtype, ...model.config, ...options.config };
  writeFileSync(join(folder, 'config.json'), JSON.stringify(config, null, 2));
  const tensors = tinyTensors({ ...config, ...(options.storedHead && untied) }, model, options.seed ?? 1);
  if (options.storedHead === 'copy') tensors.splice(-1, 1, { ...tensors[0], name: 'lm_head.weight' });
  writeShards(folder, tensors, options.shards ?? model.shards);
  if (options.tokenizer) writeTinyTokenizer(folder);
}

/** One file, or consecutive runs of tensors in several with an index. */
function writeShards(folder: string, tensors: readonly TestTensor[], shards: number): void {
  if (shards === 1) {
    writeSafetensors(join(folder, 'model.safetensors'), tensors);
    return;
  }
  const weightMap: Record<string, string> = {};
  const numbered = (n: number): string => String(n).padStart(5, '0');
  for (let shard = 0; shard < shards; shard++) {
    const file = `model-${numbered(shard + 1)}-of-${numbered(shards)}.safetensors`;
    const from = Math.floor((tensors.length * shard) / shards);
    const part = tensors.slice(from, Math.floor((tensors.length * (shard + 1)) / shards));
    writeSafetensors(join(folder, file), part);
    for (const { name } of part) weightMap[name] = file;
  }
  const totalSize = tensors.reduce((sum, { values, dtype }) => sum + values.length * (dtype === 'F32' ? 4 : 2), 0);
  const index = { metadata: { total_size: totalSize }, weight_map: weightMap };
  writeFileSync(join(folder, 'model.safetensors.index.json'), JSON.stringify(index, null, 2));
}
