/** Gemma 1: norms of 1 + w, GELU, a scaled embedding. */
import type { Style } from '../../architecture';
import { QUERIES } from '../../families/family';
import type { Dialect } from './dialect';

export const GELU = { hidden_act: 'gelu_pytorch_tanh', hidden_activation: 'gelu_pytorch_tanh' } as const;

/** What all Gemmas share. */
export const gemmaStyle = (hidden: number): Partial<Style> => ({
  normOffset: 1,
  activation: 'gelu',
  embedScale: Math.sqrt(hidden),
});

export const gemma: Dialect = {
  name: 'gemma',
  family: 'gemma',
  fits: ({ style }) => style.activation === 'gelu',
  biases: QUERIES,
  tied: 'always',
  style: gemmaStyle,
  config: () => GELU,
};
