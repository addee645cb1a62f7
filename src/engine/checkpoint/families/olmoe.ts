/** OLMoE (Muennighoff et al. 2024): experts; one norm of all queries and one of all keys, and a bound of both and of values. */
import { positive, isSet } from '../fields';
import { attentionBiases, layersWith, type ModelFamily } from './family';
import { EXPERT_READS, readExperts, withExperts } from './moe';
import { stackedExperts } from './stacks';
import { decoderWeights } from './weights';
import { noWindows } from './windows';

const CLIP = 'clip_qkv';

export const olmoe: ModelFamily = {
  modelType: 'olmoe',
  className: 'OlmoeForCausalLM',
  name: 'OLMoE',
  models: 'OLMoE 1B-7B',
  special: 'experts; norms of all queries and keys at once, and a bound of both and of values',
  defaults: { context: 4096, eos: 50_279, eps: 1e-5 },
  reads: ['attention_bias', CLIP, ...EXPERT_READS],
  layers: (config, common) => {
    const clip = isSet(config, CLIP) ? { clip: positive(config, CLIP) } : {};
    const layers = layersWith(
      noWindows(common.blocks),
      { config, common },
      { biases: attentionBiases(config), qkNorm: 'width', ...clip },
    );
    const experts = readExperts(config, { usual: { count: 64, chosen: 8 }, width: common.ffn });
    return withExperts(layers, () => experts);
  },
  weights: decoderWeights(),
  stacks: (architecture, layer) => stackedExperts('mlp.experts', architecture, layer),
};
