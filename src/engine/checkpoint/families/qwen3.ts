/** Qwen3: queries and keys are normalised head by head, and the width of a head is given. */
import { flag } from '../fields';
import { type ModelFamily, withWindows } from './family';
import { decoderWeights } from './weights';
import { listedWindows, upperWindows } from './windows';

export const qwen3: ModelFamily = {
  modelType: 'qwen3',
  defaults: { kvHeads: 32, headDim: 128, context: 32_768 },
  layers: (config, common) => {
    const windows = upperWindows(config, common.blocks);
    if ('why' in windows) return windows;
    const biases = flag(config, 'attention_bias', false) ? (['q', 'k', 'v', 'o'] as const) : [];
    return withWindows(common, windows, { biases, qkNorm: true });
  },
  weights: decoderWeights(),
  prunedConfig: listedWindows,
};
