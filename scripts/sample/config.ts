/**
 * The sample model and how it is trained, in one place.
 *
 * A Llama: deep for its size, so that there is something to prune. Twelve blocks, and a quarter of them are three.
 */

/** Tokens of the vocabulary: 1 special, 256 bytes, 1 791 merges. */
export const VOCABULARY = 2048;

/** Longest position, and the length of a training example. */
export const CONTEXT = 256;

/** The `config.json` of the checkpoint. */
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
  bos_token_id: 0,
  eos_token_id: 0,
  initializer_range: 0.02,
  torch_dtype: 'bfloat16',
} as const;
