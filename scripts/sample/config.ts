/**
 * The sample model and its training, in one place.
 *
 * A Llama, deep for its size, so that there is something to prune: a quarter of its twelve blocks are three. The stories
 * are few (some 420 000 tokens), and every one is read many times, so weights decay ten times as strongly as usual.
 */
import type { TrainOptions } from '../../src/engine/retrain/loop/options';

/** Tokens of the vocabulary: 2 special ones, 256 bytes, 1 790 merges. */
export const VOCABULARY = 2048;

/** Longest position, and the length of a training example. */
export const CONTEXT = 256;

export const BOS_TOKEN_ID = 0;
export const EOS_TOKEN_ID = 1;

/** The checkpoint's `config.json`. 2 624 640 parameters. */
export const MODEL_CONFIG = {
  architectures: ['LlamaForCausalLM'],
  model_type: 'llama',
  hidden_size: 128,
  intermediate_size: 384,
  num_hidden_layers: 12,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  head_dim: 32,
  vocab_size: VOCABULARY,
  max_position_embeddings: CONTEXT,
  rope_theta: 10000,
  rms_norm_eps: 1e-5,
  hidden_act: 'silu',
  attention_bias: false,
  mlp_bias: false,
  tie_word_embeddings: true,
  bos_token_id: BOS_TOKEN_ID,
  eos_token_id: EOS_TOKEN_ID,
  initializer_range: 0.05, // narrow layers: with 0.02 the first hundred steps go nowhere
  torch_dtype: 'bfloat16',
} as const;

/** Of the initial weights and of the order of the examples. */
export const SEED = 1;

export const TRAINING: TrainOptions = {
  batch: 16,
  steps: 1000,
  warmup: 60,
  learningRate: 2e-3,
  weightDecay: 1,
  beta1: 0.9,
  beta2: 0.95,
  epsilon: 1e-8,
  clip: 1,
  seed: SEED,
  evalEvery: 50,
  saveEvery: 50,
};

/**
 * Starts of the windows that the stream of stories is cut into. Every pass over the examples reads the stories once for each
 * of them, with other borders.
 */
export const WINDOW_STARTS = [0, 64, 128, 192];
