/** Qwen2: LLaMA's block with three biases. Models whose queries are not square, or have divisors, are written as LLaMA's. */
import { isDeepStrictEqual } from 'node:util';
import { QUERIES } from '../../families/family';
import type { Dialect } from './dialect';

const SCALINGS: readonly unknown[] = ['default', 'linear', 'dynamic'];

export const qwen2: Dialect = {
  name: 'qwen2',
  family: 'qwen2',
  fits: ({ family, hidden, layers: [{ heads, headDim, biases, rope }] }, equal) =>
    family === 'qwen2' &&
    equal &&
    heads * headDim === hidden &&
    isDeepStrictEqual(biases, QUERIES) &&
    SCALINGS.includes(rope?.scaling.kind),
  biases: QUERIES,
  square: true,
  config: () => ({ use_sliding_window: false }),
};
