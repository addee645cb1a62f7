/** A seeded toy with experts (Qwen3 MoE) that a test writes itself, with a tokenizer; block 1 is dense. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { normal } from './random';
import { type TestTensor, writeSafetensors } from './safetensors';
import { temporaryFolder } from './temporary';
import { TINY_SPECIALS, writeTinyTokenizer } from './tiny-tokenizer';

const CONFIG = {
  architectures: ['Qwen3MoeForCausalLM'],
  model_type: 'qwen3_moe',
  hidden_act: 'silu',
  hidden_size: 32,
  intermediate_size: 40,
  moe_intermediate_size: 12,
  num_hidden_layers: 4,
  num_attention_heads: 2,
  num_key_value_heads: 1,
  head_dim: 16,
  num_experts: 6,
  num_experts_per_tok: 2,
  norm_topk_prob: true,
  mlp_only_layers: [1],
  decoder_sparse_step: 1,
  vocab_size: 288,
  max_position_embeddings: 256,
  rms_norm_eps: 1e-6,
  rope_theta: 10000,
  tie_word_embeddings: true,
  pad_token_id: TINY_SPECIALS.pad,
  bos_token_id: TINY_SPECIALS.bos,
  eos_token_id: TINY_SPECIALS.eos,
  torch_dtype: 'bfloat16',
};

let written: string | undefined;

/** The folder of the toy, which is not to be changed. */
export function expertToy(): string {
  written ??= write(temporaryFolder());
  return written;
}

function write(folder: string): string {
  const { hidden_size: h, intermediate_size: dense, moe_intermediate_size: f, num_experts: count } = CONFIG;
  const next = normal(7);
  const tensors: TestTensor[] = [];
  const add = (name: string, shape: readonly number[], scale = 0.3): void => {
    const values = Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => scale * next());
    if (name.includes('norm')) for (let i = 0; i < values.length; i++) values[i] += 1;
    tensors.push({ name: `${name}.weight`, dtype: 'BF16', shape, values });
  };
  add('model.embed_tokens', [CONFIG.vocab_size, h], 0.5);
  for (let block = 0; block < CONFIG.num_hidden_layers; block++) {
    const at = `model.layers.${block}`;
    for (const norm of ['input_layernorm', 'post_attention_layernorm']) add(`${at}.${norm}`, [h], 0.1);
    add(`${at}.self_attn.q_proj`, [2 * CONFIG.head_dim, h]);
    for (const name of ['k', 'v']) add(`${at}.self_attn.${name}_proj`, [CONFIG.head_dim, h]);
    add(`${at}.self_attn.o_proj`, [h, 2 * CONFIG.head_dim]);
    for (const name of ['q_norm', 'k_norm']) add(`${at}.self_attn.${name}`, [CONFIG.head_dim], 0.1);
    const gated = (name: string, width: number): void => {
      for (const part of ['gate_proj', 'up_proj']) add(`${name}.${part}`, [width, h]);
      add(`${name}.down_proj`, [h, width]);
    };
    if (CONFIG.mlp_only_layers.includes(block)) {
      gated(`${at}.mlp`, dense);
      continue;
    }
    add(`${at}.mlp.gate`, [count, h], 0.5);
    for (let expert = 0; expert < count; expert++) gated(`${at}.mlp.experts.${expert}`, f);
  }
  add('model.norm', [h], 0.1);
  writeFileSync(join(folder, 'config.json'), JSON.stringify(CONFIG, null, 2));
  writeSafetensors(join(folder, 'model.safetensors'), tensors);
  writeTinyTokenizer(folder);
  return folder;
}
