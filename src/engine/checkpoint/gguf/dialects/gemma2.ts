/** Gemma 2: norms on both sides of a module, caps, and a window in every other block. */
import type { GgufArchitecture } from '../shapes';
import { QUERIES } from '../../families/family';
import type { Dialect } from './dialect';
import { GELU, gemmaStyle } from './gemma';

export const gemma2: Dialect = {
  name: 'gemma2',
  family: 'gemma2',
  fits: ({ style, layers: [{ qkNorm }] }) => style.norms === 'both' && qkNorm === null,
  biases: QUERIES,
  tied: 'always',
  windows: { period: 2, width: 4096 },
  style: (hidden) => ({ ...gemmaStyle(hidden), norms: 'both' }),
  numbers: [
    { field: 'attn_logit_softcapping', of: 'scoreCap', usual: 50 },
    { field: 'final_logit_softcapping', of: 'logitCap', usual: 30 },
  ],
  scoresByCosines: { largest: 46 },
  config: gemma2Config,
};

/** Gemma 3 has these fields too. */
export function gemma2Config({ style, layers }: GgufArchitecture): Readonly<Record<string, unknown>> {
  const query = (style.scoreScale ?? 1 / Math.sqrt(layers[0].headDim)) ** -2;
  const whole = Math.abs(query - Math.round(query)) < 1e-6 ? Math.round(query) : query;
  return {
    ...GELU,
    query_pre_attn_scalar: whole,
    attn_logit_softcapping: style.scoreCap,
    final_logit_softcapping: style.logitCap,
    sliding_window: layers.find(({ window }) => window !== null)?.window ?? null,
    layer_types: layers.map(({ window }) => (window === null ? 'full_attention' : 'sliding_attention')),
  };
}
