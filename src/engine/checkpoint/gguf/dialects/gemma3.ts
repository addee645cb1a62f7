/** Gemma 3: Gemma 2 with norms of queries and keys in place of the cap on scores; blocks with a window turn by their own base. */
import { QUERIES } from '../../families/family';
import type { Dialect } from './dialect';
import { gemma2, gemma2Config } from './gemma2';

export const gemma3: Dialect = {
  name: 'gemma3',
  family: 'gemma3_text',
  fits: ({ style, layers: [{ qkNorm }] }) => style.norms === 'both' && qkNorm !== null,
  biases: QUERIES,
  qkNorm: 'head',
  windows: { period: 6 },
  rotation: { local: true },
  style: gemma2.style,
  numbers: [{ field: 'final_logit_softcapping', of: 'logitCap', absent: null }],
  scoresByCosines: { largest: 62 },
  config: (architecture) => ({
    ...gemma2Config(architecture),
    rope_local_base_freq: architecture.layers.find(({ window }) => window !== null)?.rope?.theta ?? 10_000,
  }),
};
