/** LLaMA 1 to 3 (Touvron et al. 2023), and the many models that use its class, such as SmolLM2. */
import { attentionBiases, layersWith, mlpBiases, type ModelFamily } from './family';
import { decoderWeights } from './weights';
import { noWindows } from './windows';

export const llama: ModelFamily = {
  modelType: 'llama',
  defaults: { context: 2048, bos: 1, eos: 2 },
  layers: (config, common) =>
    layersWith(
      noWindows(common.blocks),
      { config, common },
      { biases: [...attentionBiases(config), ...mlpBiases(config)] },
    ),
  weights: decoderWeights(),
};
