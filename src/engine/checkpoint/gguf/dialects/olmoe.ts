/** OLMoE: one norm of all queries and one of all keys; the weights of experts are those of all of them, and nothing is bounded. */
import type { Dialect } from './dialect';
import { FFN_WIDTH } from '../experts';

export const olmoe: Dialect = {
  name: 'olmoe',
  family: 'olmoe',
  fits: ({ layers: [{ qkNorm }] }) => qkNorm === 'width',
  biases: [],
  square: true,
  ungrouped: true,
  tied: 'never',
  qkNorm: 'width',
  experts: { weighs: 'all', width: FFN_WIDTH },
  config: ({ layers: [{ experts }] }) => ({
    attention_bias: false,
    clip_qkv: null,
    num_experts: experts!.count,
    num_experts_per_tok: experts!.chosen,
    norm_topk_prob: false,
  }),
};
