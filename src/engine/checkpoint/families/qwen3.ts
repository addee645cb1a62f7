/** Qwen3: RMSNorm on every query and key head; the config gives the width of a head. */
import { attentionBiases, layersWith, type ModelFamily } from './family';
import { decoderWeights } from './weights';
import { listedWindows, upperWindows } from './windows';

export const qwen3: ModelFamily = {
  modelType: 'qwen3',
  defaults: { kvHeads: 32, headDim: 128, context: 32_768 },
  layers: (config, common) =>
    layersWith(
      upperWindows(config, common.blocks),
      { config, common },
      { biases: attentionBiases(config), qkNorm: 'head' },
    ),
  weights: decoderWeights(),
  prunedConfig: listedWindows,
};
