/** Qwen3: RMSNorm on every query and key head; the config gives the width of a head. */
import { ATTENTION, attentionBiases, layersWith, type ModelFamily } from './family';
import { decoderWeights } from './weights';
import { listedWindows, upperWindows } from './windows';

export const qwen3: ModelFamily = {
  modelType: 'qwen3',
  className: 'Qwen3ForCausalLM',
  name: 'Qwen3',
  models: 'Qwen3: 0.6B to 32B',
  special: 'norms of queries and keys',
  defaults: { kvHeads: 32, headDim: 128, context: 32_768 },
  reads: ['attention_bias', 'use_sliding_window', 'layer_types'],
  layers: (config, common) =>
    layersWith(
      upperWindows(config, common.blocks),
      { config, common },
      { biases: attentionBiases(config), qkNorm: 'head' },
    ),
  weights: decoderWeights(),
  prunedConfig: listedWindows,
  narrower: { switches: { attention_bias: ATTENTION } },
};
