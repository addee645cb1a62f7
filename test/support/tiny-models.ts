/**
 * Seeded toy checkpoints, one architectural feature each, that tests write themselves: with these a clone that has
 * nothing beside it still proves the engine. The weights are random, of a size that makes every block matter.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { normal } from './random';
import { writeSafetensors, type TestDtype, type TestTensor } from './safetensors';
import { temporaryFolder } from './temporary';
import { TINY_SPECIALS, writeTinyTokenizer } from './tiny-tokenizer';

interface TinyModel {
  readonly dtype: TestDtype;
  readonly shards: number;
  /** Biases: on q, k, v; on o; on gate, up, down. */
  readonly bias: readonly ('qkv' | 'o' | 'mlp')[];
  readonly qkNorm: boolean;
  /** What differs from `BASE`. */
  readonly config: Readonly<Record<string, unknown>>;
}

/**
 * The shape of one block of a ragged toy. No config of a family describes such models: the toy's config.json lists the
 * blocks as `toy_layers`, which tests and reference read and the engine ignores.
 */
export interface ToyLayer {
  readonly num_attention_heads: number;
  readonly num_key_value_heads: number;
  readonly head_dim: number;
  readonly intermediate_size: number;
  readonly sliding_window: number | null;
  /** Null: queries and keys are not rotated. */
  readonly rope_theta: number | null;
  /** "q", "down": Linears with a bias. */
  readonly bias: readonly string[];
  readonly qk_norm: boolean;
}

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
const plain = { dtype: 'F32', shards: 1, bias: [], qkNorm: false } as const;
const qwen2 = { architectures: ['Qwen2ForCausalLM'], model_type: 'qwen2' };
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
    qkNorm: true,
    config: {
      architectures: ['Qwen3ForCausalLM'],
      model_type: 'qwen3',
      head_dim: 24,
      rms_norm_eps: 1e-6,
      attention_bias: false,
    },
  },
} as const satisfies Record<string, TinyModel>;

const SHAPES: readonly ToyLayer[] = [
  toyLayer({}),
  toyLayer({ num_attention_heads: 2, num_key_value_heads: 1, intermediate_size: 40, sliding_window: 5 }),
  toyLayer({ num_attention_heads: 6, num_key_value_heads: 3, head_dim: 8, intermediate_size: 128, rope_theta: 500 }),
  toyLayer({ num_attention_heads: 1, num_key_value_heads: 1, head_dim: 24, intermediate_size: 24, rope_theta: null }),
];
const BIASES = [['q', 'k', 'v'], ['o', 'down'], [], ['q', 'k', 'v', 'o', 'gate', 'up', 'down']];

function toyLayer(changes: Partial<ToyLayer>): ToyLayer {
  const heads = { num_attention_heads: 4, num_key_value_heads: 2, head_dim: 16 };
  const rest = { intermediate_size: 96, sliding_window: null, rope_theta: 10000, bias: [], qk_norm: false };
  return { ...heads, ...rest, ...changes };
}

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

export type TinyName = keyof typeof MODELS | keyof typeof RAGGED;

/** The names of the toys that a config describes. */
export const TINY_MODELS = Object.keys(MODELS) as (keyof typeof MODELS)[];

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
  const toy: TinyModel = { ...MODELS, ...RAGGED }[name];
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

/** All tensors of the toy, in the order and under the names that transformers gives them. */
function tinyTensors(
  config: typeof BASE & { head_dim?: number; toy_layers?: readonly ToyLayer[] },
  model: TinyModel,
  seed: number,
): TestTensor[] {
  const { hidden_size: hidden, vocab_size: vocabulary } = config;
  const uniform = {
    ...toyLayer({ ...config, head_dim: config.head_dim ?? hidden / config.num_attention_heads }),
    bias: model.bias.flatMap((which) => ({ qkv: ['q', 'k', 'v'], o: ['o'], mlp: ['gate', 'up', 'down'] })[which]),
    qk_norm: model.qkNorm,
  };
  const next = normal(seed);
  const tensors: TestTensor[] = [];
  const add = (name: string, shape: number[], mean: number, deviation: number): void => {
    const size = shape.reduce((a, b) => a * b, 1);
    const values = Float32Array.from({ length: size }, () => mean + deviation * next());
    tensors.push({ name, dtype: model.dtype, shape, values });
  };
  const norm = (name: string, size: number): void => add(`${name}.weight`, [size], 1, 0.2);
  const linear = (name: string, out: number, into: number, bias: boolean): void => {
    add(`${name}.weight`, [out, into], 0, 1 / Math.sqrt(into));
    if (bias) add(`${name}.bias`, [out], 0, 0.2);
  };

  add('model.embed_tokens.weight', [vocabulary, hidden], 0, 0.4);
  for (let block = 0; block < config.num_hidden_layers; block++) {
    const at = `model.layers.${block}`;
    const {
      head_dim: headDim,
      intermediate_size: ffn,
      bias,
      qk_norm,
      ...heads
    } = config.toy_layers?.[block] ?? uniform;
    const queries = heads.num_attention_heads * headDim;
    const keys = heads.num_key_value_heads * headDim;
    norm(`${at}.input_layernorm`, hidden);
    linear(`${at}.self_attn.q_proj`, queries, hidden, bias.includes('q'));
    linear(`${at}.self_attn.k_proj`, keys, hidden, bias.includes('k'));
    linear(`${at}.self_attn.v_proj`, keys, hidden, bias.includes('v'));
    linear(`${at}.self_attn.o_proj`, hidden, queries, bias.includes('o'));
    if (qk_norm) norm(`${at}.self_attn.q_norm`, headDim);
    if (qk_norm) norm(`${at}.self_attn.k_norm`, headDim);
    norm(`${at}.post_attention_layernorm`, hidden);
    linear(`${at}.mlp.gate_proj`, ffn, hidden, bias.includes('gate'));
    linear(`${at}.mlp.up_proj`, ffn, hidden, bias.includes('up'));
    linear(`${at}.mlp.down_proj`, hidden, ffn, bias.includes('down'));
  }
  norm('model.norm', hidden);
  if (!config.tie_word_embeddings) linear('lm_head', vocabulary, hidden, false);
  return tensors;
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
