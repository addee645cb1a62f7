/** The tensors of the toy checkpoints (tiny-models.ts): random, under the names that transformers gives them. */
import { normal } from './random';
import type { TestDtype, TestTensor } from './safetensors';

/** A toy: how its tensors are stored, which ones its blocks have, and its config. */
export interface TinyModel {
  readonly dtype: TestDtype;
  readonly shards: number;
  /** Biases: on q, k, v; on o; on gate, up, down. */
  readonly bias: readonly ('qkv' | 'o' | 'mlp')[];
  /** Norms of queries and keys: of each head, or of all at once. */
  readonly qkNorm: 'head' | 'width' | null;
  /** q, k, v in one matrix, and gate, up in another. */
  readonly fused?: boolean;
  /** Norms on what a module reads, on what it adds, or on both; before if undefined. */
  readonly norms?: 'before' | 'after' | 'both';
  /** Of the weights of norms; 1 if undefined. */
  readonly normMean?: number;
  /** Deviation of the embedding; 0.4 if undefined. */
  readonly embedding?: number;
  /** Whether the head is the embedding where the config is silent. */
  readonly tied?: boolean;
  /** What differs from the config that every toy starts from. */
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

export function toyLayer(changes: Partial<ToyLayer>): ToyLayer {
  const heads = { num_attention_heads: 4, num_key_value_heads: 2, head_dim: 16 };
  const rest = { intermediate_size: 96, sliding_window: null, rope_theta: 10000, bias: [], qk_norm: false };
  return { ...heads, ...rest, ...changes };
}

/** The part of a toy's config that its tensors follow. */
interface TinyShape {
  readonly hidden_size: number;
  readonly intermediate_size: number;
  readonly num_hidden_layers: number;
  readonly num_attention_heads: number;
  readonly num_key_value_heads: number;
  readonly vocab_size: number;
  readonly tie_word_embeddings?: boolean;
  readonly head_dim?: number;
  readonly toy_layers?: readonly ToyLayer[];
}

type Add = (name: string, shape: number[], mean: number, deviation: number) => void;

/** All tensors of the toy, in the order and under the names that transformers gives them. */
export function tinyTensors(config: TinyShape, model: TinyModel, seed: number): TestTensor[] {
  const { hidden_size: hidden, vocab_size: vocabulary } = config;
  const uniform = {
    ...toyLayer({ ...config, head_dim: config.head_dim ?? hidden / config.num_attention_heads }),
    bias: model.bias.flatMap((which) => ({ qkv: ['q', 'k', 'v'], o: ['o'], mlp: ['gate', 'up', 'down'] })[which]),
    qk_norm: model.qkNorm !== null,
  };
  const next = normal(seed);
  const tensors: TestTensor[] = [];
  const add: Add = (name, shape, mean, deviation) => {
    const size = shape.reduce((a, b) => a * b, 1);
    const values = new Float32Array(size);
    for (let i = 0; i < size; i++) values[i] = mean + deviation * next();
    tensors.push({ name, dtype: model.dtype, shape, values });
  };
  add('model.embed_tokens.weight', [vocabulary, hidden], 0, model.embedding ?? 0.4);
  for (let block = 0; block < config.num_hidden_layers; block++) {
    addBlock(add, `model.layers.${block}`, hidden, config.toy_layers?.[block] ?? uniform, model);
  }
  add('model.norm.weight', [hidden], model.normMean ?? 1, 0.2);
  const tied = config.tie_word_embeddings ?? model.tied ?? false;
  if (!tied) add('lm_head.weight', [vocabulary, hidden], 0, 1 / Math.sqrt(hidden));
  return tensors;
}

function addBlock(add: Add, at: string, hidden: number, layer: ToyLayer, model: TinyModel): void {
  const { norms = 'before', normMean = 1, fused = false } = model;
  const { head_dim: headDim, intermediate_size: ffn, bias } = layer;
  const [queries, keys] = [layer.num_attention_heads * headDim, layer.num_key_value_heads * headDim];
  const norm = (name: string, size: number): void => add(`${at}.${name}.weight`, [size], normMean, 0.2);
  const linear = (name: string, out: number, into: number): void => {
    add(`${at}.${name}_proj.weight`, [out, into], 0, 1 / Math.sqrt(into));
    if (bias.includes(name.split('.')[1])) add(`${at}.${name}_proj.bias`, [out], 0, 0.2);
  };

  if (norms !== 'after') norm('input_layernorm', hidden);
  if (fused) {
    linear('self_attn.qkv', queries + 2 * keys, hidden);
  } else {
    linear('self_attn.q', queries, hidden);
    linear('self_attn.k', keys, hidden);
    linear('self_attn.v', keys, hidden);
  }
  linear('self_attn.o', hidden, queries);
  if (layer.qk_norm) norm('self_attn.q_norm', model.qkNorm === 'width' ? queries : headDim);
  if (layer.qk_norm) norm('self_attn.k_norm', model.qkNorm === 'width' ? keys : headDim);
  norm('post_attention_layernorm', hidden);
  if (norms === 'both') norm('pre_feedforward_layernorm', hidden);
  if (fused) {
    linear('mlp.gate_up', 2 * ffn, hidden);
  } else {
    linear('mlp.gate', ffn, hidden);
    linear('mlp.up', ffn, hidden);
  }
  linear('mlp.down', hidden, ffn);
  if (norms !== 'before') norm('post_feedforward_layernorm', hidden);
}
