/** Gemma 2 (Google 2024): norms on inputs and outputs of the modules, soft caps, and windows in every other block. */
import { positive, positiveOr, type Config } from '../fields';
import { windowOf } from '../kinds/parts';
import { ATTENTION, attentionBiases, layersWith, type ModelFamily, type PrunedFields } from './family';
import { gemmaStyle, TANH_GELU } from './gemma';
import { decoderWeights } from './weights';
import { layerTypes, slidingBlocks, slidingWindows, windowWidth } from './windows';

/** Gemma 3 reads them too; the cap on scores has no effect there. */
export const GEMMA2_READS: readonly string[] = [
  'hidden_act',
  'hidden_activation',
  'attn_logit_softcapping',
  'final_logit_softcapping',
  'query_pre_attn_scalar',
  'attention_bias',
  'layer_types',
];

const evenBlocks = (block: number): boolean => block % 2 === 0;

export const gemma2: ModelFamily = {
  modelType: 'gemma2',
  className: 'Gemma2ForCausalLM',
  name: 'Gemma 2',
  models: 'Gemma 2: 2B, 9B, 27B',
  special: 'norms before and after modules, soft caps, a window in every other block',
  defaults: { kvHeads: 4, headDim: 256, context: 8192, bos: 2, eos: 1, tied: true },
  reads: GEMMA2_READS,
  layers: (config, common) => {
    const sliding = slidingBlocks(config, common.blocks, evenBlocks);
    return layersWith(
      slidingWindows(sliding, windowWidth(config)),
      { config, common },
      { biases: attentionBiases(config) },
    );
  },
  style: (config, common) => {
    const style = gemmaStyle(config, common, 'hidden_activation', TANH_GELU);
    if ('why' in style) return style;
    return {
      ...style,
      norms: 'both',
      scoreScale: queryScale(config),
      scoreCap: cap(config, 'attn_logit_softcapping', 50),
      logitCap: cap(config, 'final_logit_softcapping', 30),
    };
  },
  weights: decoderWeights({ postNorm: 'pre_feedforward_layernorm' }),
  prunedConfig: (config, layers, kept): PrunedFields => {
    if (Array.isArray(config.layer_types)) return {};
    return { layer_types: layerTypes(kept, (block) => windowOf(layers[block]) !== null) };
  },
  narrower: { switches: { attention_bias: ATTENTION }, headsDivide: true },
};

/** Factor of the scores. */
export const queryScale = (config: Config): number => 1 / Math.sqrt(positiveOr(config, 'query_pre_attn_scalar', 256));

/** Null means no cap; only an absent field takes the default. */
export function cap(config: Config, field: string, usual: number | null): number | null {
  if (config[field] === null || (usual === null && config[field] === undefined)) return null;
  return positive(config, field, usual ?? undefined);
}
