/** OLMo 2 (2024): norms on the outputs of the modules only, and RMSNorm on all query heads and all key heads at once. */
import { PLAIN_STYLE } from '../architecture';
import { ATTENTION, attentionBiases, layersWith, type ModelFamily } from './family';
import { decoderWeights } from './weights';
import { noWindows } from './windows';

export const olmo2: ModelFamily = {
  modelType: 'olmo2',
  className: 'Olmo2ForCausalLM',
  name: 'OLMo 2',
  models: 'OLMo 2: 1B, 7B, 13B, 32B',
  special: 'norms after modules only; one norm of all queries, one of all keys',
  defaults: { context: 2048, eos: 50_279, eps: 1e-5 },
  reads: ['attention_bias'],
  layers: (config, common) =>
    layersWith(noWindows(common.blocks), { config, common }, { biases: attentionBiases(config), qkNorm: 'width' }),
  style: () => ({ ...PLAIN_STYLE, norms: 'after' }),
  weights: decoderWeights(),
  narrower: { switches: { attention_bias: ATTENTION } },
};
