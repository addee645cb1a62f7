/** SmolLM3: LLaMA's block, without rotation in every fourth block. */
import { QUERIES } from '../../families/family';
import { type Dialect, hasFactors, isLikeLlama } from './dialect';

export const smollm3: Dialect = {
  name: 'smollm3',
  family: 'smollm3',
  fits: (architecture) =>
    isLikeLlama(architecture) && !hasFactors(architecture) && architecture.layers.some(({ rope }) => rope === null),
  paired: true,
  biases: QUERIES,
  rotation: { skips: true },
  config: ({ layers }) => ({
    no_rope_layers: layers.map(({ rope }) => (rope === null ? 0 : 1)),
    use_sliding_window: false,
    sliding_window: null,
  }),
};
