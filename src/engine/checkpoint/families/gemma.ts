/** Gemma 1 (Google 2024): norms with 1 + w, a scaled embedding, GELU, and a width of heads of its own. */
import { type Style, PLAIN_STYLE } from '../architecture';
import { isSet, show, type Config } from '../fields';
import type { Unsupported } from '../types';
import { ATTENTION, attentionBiases, type CommonShape, layersWith, type ModelFamily } from './family';
import { decoderWeights } from './weights';
import { noWindows } from './windows';

/** Both names of the approximation by tanh. */
export const TANH_GELU: readonly unknown[] = ['gelu_pytorch_tanh', 'gelu_new'];

export const gemma: ModelFamily = {
  modelType: 'gemma',
  className: 'GemmaForCausalLM',
  name: 'Gemma',
  models: 'Gemma 1: 2B, 7B; CodeGemma',
  special: 'norms with 1 + w, a scaled embedding, GELU',
  defaults: { kvHeads: 16, headDim: 256, context: 8192, bos: 2, eos: 1, tied: true },
  reads: ['hidden_act', 'hidden_activation', 'attention_bias'],
  layers: (config, common) =>
    layersWith(noWindows(common.blocks), { config, common }, { biases: attentionBiases(config) }),
  // The first configs said "gelu" where the approximation was meant.
  style: (config, common) => gemmaStyle(config, common, 'hidden_act', ['gelu', ...TANH_GELU]),
  weights: decoderWeights(),
  narrower: { switches: { attention_bias: ATTENTION } },
};

/**
 * What all Gemmas share.
 * @param field of the activation
 * @param names of the activation that mean GELU by tanh
 */
export function gemmaStyle(
  config: Config,
  { hidden }: CommonShape,
  field: string,
  names: readonly unknown[],
): Style | Unsupported {
  if (isSet(config, field) && !names.includes(config[field])) {
    return {
      why: `its config asks for another FFN activation than GELU by tanh (\`${field}\`: ${show(config[field])})`,
      action: 'The checkpoint can be inspected; computing with it would give wrong numbers.',
    };
  }
  return { ...PLAIN_STYLE, normOffset: 1, activation: 'gelu', embedScale: Math.sqrt(hidden) };
}
