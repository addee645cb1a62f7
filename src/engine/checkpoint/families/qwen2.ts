/** Qwen2 and Qwen2.5: biases on q, k and v always and nowhere else; windows in the upper blocks where they are on. */
import { layersWith, type ModelFamily } from './family';
import { decoderWeights } from './weights';
import { listedWindows, upperWindows } from './windows';

export const qwen2: ModelFamily = {
  modelType: 'qwen2',
  defaults: { kvHeads: 32, context: 32_768 },
  layers: (config, common) =>
    layersWith(upperWindows(config, common.blocks), { config, common }, { biases: ['q', 'k', 'v'] }),
  weights: decoderWeights(),
  prunedConfig: listedWindows,
};
