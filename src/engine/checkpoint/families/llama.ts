/** LLaMA 1 to 3 (Touvron et al. 2023), and the many models that use its class, such as SmolLM2. */
import { ATTENTION, attentionBiases, layersWith, MLP, mlpBiases, type ModelFamily } from './family';
import { decoderWeights } from './weights';
import { noWindows } from './windows';

export const llama: ModelFamily = {
  modelType: 'llama',
  className: 'LlamaForCausalLM',
  name: 'LLaMA',
  models:
    'LLaMA 1, 2, 3, 3.1 and 3.2, and what is built like them: SmolLM2, TinyLlama, Vicuna, Falcon 3, DeepSeek-R1-Distill-Llama',
  special: 'rotation scaled by llama3',
  defaults: { context: 2048, bos: 1, eos: 2 },
  reads: ['attention_bias', 'mlp_bias'],
  layers: (config, common) =>
    layersWith(
      noWindows(common.blocks),
      { config, common },
      { biases: [...attentionBiases(config), ...mlpBiases(config)] },
    ),
  weights: decoderWeights(),
  narrower: { switches: { attention_bias: ATTENTION, mlp_bias: MLP }, plain: true, headsDivide: true },
};
