/** Granite 3 (IBM 2024): LLaMA's block with a factor on the embedding, the scores, what modules add, and the logits. */
import { PLAIN_STYLE } from '../architecture';
import { positiveOr } from '../fields';
import { ATTENTION, attentionBiases, layersWith, MLP, mlpBiases, type ModelFamily } from './family';
import { decoderWeights } from './weights';
import { noWindows } from './windows';

export const granite: ModelFamily = {
  modelType: 'granite',
  className: 'GraniteForCausalLM',
  name: 'Granite 3',
  models: 'Granite 3.0 to 3.3: 2B, 8B',
  special: 'factors of embedding, scores, residual and logits',
  defaults: { context: 2048, bos: 1, eos: 2 },
  reads: [
    'embedding_multiplier',
    'residual_multiplier',
    'attention_multiplier',
    'logits_scaling',
    'attention_bias',
    'mlp_bias',
  ],
  layers: (config, common) =>
    layersWith(
      noWindows(common.blocks),
      { config, common },
      { biases: [...attentionBiases(config), ...mlpBiases(config)] },
    ),
  style: (config) => ({
    ...PLAIN_STYLE,
    embedScale: positiveOr(config, 'embedding_multiplier', 1),
    residualScale: positiveOr(config, 'residual_multiplier', 1),
    // Where the config is silent it is 1, not 1/√headDim.
    scoreScale: positiveOr(config, 'attention_multiplier', 1),
    logitScale: 1 / positiveOr(config, 'logits_scaling', 1),
  }),
  weights: decoderWeights(),
  narrower: { switches: { attention_bias: ATTENTION, mlp_bias: MLP } },
};
