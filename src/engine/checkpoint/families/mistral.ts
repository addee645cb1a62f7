/** Mistral 7B (Jiang et al. 2023): a window in every block. It has no biases, whatever its config says. */
import { layersWith, type ModelFamily } from './family';
import { decoderWeights } from './weights';
import { listedWindows, sharedWindow } from './windows';

export const mistral: ModelFamily = {
  modelType: 'mistral',
  className: 'MistralForCausalLM',
  name: 'Mistral',
  models: 'Mistral 7B, Mistral Nemo, Mathstral',
  special: 'a window in every block (0.1)',
  defaults: { kvHeads: 8, context: 131_072, bos: 1, eos: 2 },
  reads: ['layer_types'],
  layers: (config, common) => layersWith(sharedWindow(config, common.blocks), { config, common }),
  weights: decoderWeights(),
  prunedConfig: listedWindows,
  narrower: { plain: true, without: { sliding_window: null } },
};
