/**
 * Seed-OSS (ByteDance 2025): LLaMA's block with one switch for the biases of q, k and v, which is on where the config is
 * silent, and one for that of o. The size of a head is given, whatever hidden size and heads are.
 */
import type { LinearName } from '../architecture';
import { flag } from '../fields';
import { layersWith, MLP, type ModelFamily, QUERIES } from './family';
import { decoderWeights } from './weights';
import { noWindows } from './windows';

const OUTPUT: readonly LinearName[] = ['o'];

export const seedOss: ModelFamily = {
  modelType: 'seed_oss',
  className: 'SeedOssForCausalLM',
  name: 'Seed-OSS',
  models: 'Seed-OSS 36B',
  special: 'biases by three switches',
  defaults: { kvHeads: 8, headDim: 128, context: 524_288, bos: 0, eos: 2 },
  reads: ['attention_bias', 'attention_out_bias', 'mlp_bias'],
  layers: (config, common) => {
    const biases = [
      ...(flag(config, 'attention_bias', true) ? QUERIES : []),
      ...(flag(config, 'attention_out_bias', false) ? OUTPUT : []),
      ...(flag(config, 'mlp_bias', false) ? MLP : []),
    ];
    return layersWith(noWindows(common.blocks), { config, common }, { biases });
  },
  weights: decoderWeights(),
  narrower: {
    switches: { attention_bias: QUERIES, attention_out_bias: OUTPUT, mlp_bias: MLP },
    plain: true,
    without: { residual_dropout: 0 },
  },
};
