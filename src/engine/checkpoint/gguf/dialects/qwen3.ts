/** Qwen3: norms of queries and keys. Its biases would be read too, but no reader of files with both was tried. */
import type { Dialect } from './dialect';

export const qwen3: Dialect = {
  name: 'qwen3',
  family: 'qwen3',
  fits: ({ layers: [{ qkNorm }] }) => qkNorm !== null,
  biases: [],
  qkNorm: 'head',
  config: ({ layers: [{ biases }] }) => ({ attention_bias: biases.includes('q'), use_sliding_window: false }),
};
