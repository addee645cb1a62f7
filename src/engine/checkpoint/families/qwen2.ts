/** Qwen2 and Qwen2.5: always biases on q, k and v, and no others. If windows are on, the upper blocks have them. */
import { layersWith, type ModelFamily, QUERIES } from './family';
import { decoderWeights } from './weights';
import { listedWindows, upperWindows } from './windows';

export const qwen2: ModelFamily = {
  modelType: 'qwen2',
  className: 'Qwen2ForCausalLM',
  name: 'Qwen2',
  models: 'Qwen2, Qwen2.5, DeepSeek-R1-Distill-Qwen',
  special: 'biases on q, k and v; a window in the upper blocks, where the config says so',
  defaults: { kvHeads: 32, context: 32_768 },
  reads: ['attention_bias', 'use_sliding_window', 'layer_types'],
  layers: (config, common) => layersWith(upperWindows(config, common.blocks), { config, common }, { biases: QUERIES }),
  weights: decoderWeights(),
  prunedConfig: listedWindows,
  narrower: { always: QUERIES, plain: true },
};
