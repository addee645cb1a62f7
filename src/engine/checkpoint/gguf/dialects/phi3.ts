/** Phi-3 and 4: fused matrices, a part of a head turns, longrope. */
import type { Dialect } from './dialect';

export const phi3: Dialect = {
  name: 'phi3',
  family: 'phi3',
  fits: ({ layers: [{ fused }] }) => fused,
  biases: [],
  square: true,
  fused: true,
  windows: 'unused',
  rotation: { longrope: 'only', partial: true },
  config: ({ layers: [{ headDim }], context }, rope) => ({
    partial_rotary_factor: (rope?.turned ?? headDim) / headDim,
    original_max_position_embeddings: rope?.scaling.kind === 'longrope' ? rope.scaling.originalContext : context,
    sliding_window: null,
  }),
};
