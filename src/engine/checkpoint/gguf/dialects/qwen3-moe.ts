/** Qwen3 with experts. llama.cpp divides the weights of those that a token chose by their sum, always. */
import type { Dialect } from './dialect';
import { qwen3 } from './qwen3';

export const qwen3Moe: Dialect = {
  name: 'qwen3moe',
  family: 'qwen3_moe',
  fits: ({ layers: [{ qkNorm }] }) => qkNorm === 'head',
  biases: [],
  qkNorm: 'head',
  experts: { weighs: 'chosen', width: 'expert_feed_forward_length' },
  config: (architecture, rope) => {
    const [{ ffn, experts }] = architecture.layers;
    return {
      ...qwen3.config?.(architecture, rope),
      num_experts: experts!.count,
      num_experts_per_tok: experts!.chosen,
      moe_intermediate_size: ffn,
      norm_topk_prob: true,
    };
  },
};
