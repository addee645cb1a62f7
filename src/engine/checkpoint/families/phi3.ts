/**
 * Phi-3, 3.5, 4 and 4-mini (Microsoft 2024): LLaMA's block with q, k and v in one matrix and gate and up in another. Only a
 * part of a head may turn, and long contexts have frequencies of their own (LongRoPE).
 */
import { readRope } from '../rope';
import { layersWith, type ModelFamily } from './family';
import { decoderWeights } from './weights';
import { sharedWindow } from './windows';

/** The kinds of scaling that mean longrope in this family. */
const NAMES = { su: 'longrope', yarn: 'longrope' };

export const phi3: ModelFamily = {
  modelType: 'phi3',
  className: 'Phi3ForCausalLM',
  name: 'Phi-3 and 4',
  models: 'Phi-3 mini and medium, Phi-3.5 mini, Phi-4, Phi-4-mini',
  special: 'q, k, v and gate, up in one matrix each; a part of a head turns; longrope',
  defaults: { context: 4096, bos: 1, eos: 32_000, eps: 1e-5 },
  reads: ['layer_types'],
  layers: (config, common) =>
    layersWith(
      sharedWindow(config, common.blocks, null),
      { config, common },
      { fused: true },
      readRope(config, common, { partial: true, names: NAMES, originalContext: 4096 }),
    ),
  weights: decoderWeights(),
  narrower: { countsFactors: true },
};
