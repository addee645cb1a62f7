/** Mistral 7B (Jiang et al. 2023): a window in every block. It has no biases, whatever its config says. */
import { layersWith, type ModelFamily } from './family';
import { decoderWeights } from './weights';
import { listedWindows, sharedWindow } from './windows';

export const mistral: ModelFamily = {
  modelType: 'mistral',
  defaults: { kvHeads: 8, context: 131_072, bos: 1, eos: 2 },
  layers: (config, common) => layersWith(sharedWindow(config, common.blocks), { config, common }),
  weights: decoderWeights(),
  prunedConfig: listedWindows,
};
