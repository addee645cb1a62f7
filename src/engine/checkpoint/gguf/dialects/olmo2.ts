/** OLMo 2: norms after modules, one norm of all queries and one of all keys. OLMo 3's files have its name, and windows. */
import { QUERIES } from '../../families/family';
import type { Dialect } from './dialect';

export const olmo2: Dialect = {
  name: 'olmo2',
  family: 'olmo2',
  fits: ({ style, layers: [{ fused }] }) => style.norms === 'after' && !fused,
  biases: QUERIES,
  square: true,
  tied: 'never',
  qkNorm: 'width',
  style: () => ({ norms: 'after' }),
  // OLMo 3 also rotates otherwise.
  refused: (fields) => {
    const width = fields.optional(fields.key('attention.sliding_window')) ?? 0;
    return width === 0 ? undefined : 'its blocks have windows, as OLMo 3’s do';
  },
  config: () => ({ attention_bias: false }),
};
