/** Mixtral (Jiang et al. 2024): LLaMA's block with experts in place of the FFN. */
import { readRope } from '../rope';
import { layersWith, type ModelFamily } from './family';
import { EXPERT_READS, readExperts, withExperts } from './moe';
import { stackedExperts } from './stacks';
import { decoderWeights } from './weights';
import { sharedWindow } from './windows';

export const mixtral: ModelFamily = {
  modelType: 'mixtral',
  className: 'MixtralForCausalLM',
  name: 'Mixtral',
  models: 'Mixtral 8x7B and 8x22B',
  special: 'experts',
  defaults: { kvHeads: 8, context: 131_072, bos: 1, eos: 2, eps: 1e-5 },
  reads: EXPERT_READS,
  layers: (config, common) => {
    const layers = layersWith(
      sharedWindow(config, common.blocks, null),
      { config, common },
      {},
      readRope(config, common, { theta: 1_000_000 }),
    );
    const usual = { count: 8, chosen: 2 };
    const experts = readExperts(config, { usual, width: common.ffn, alwaysNormed: true });
    return withExperts(layers, () => experts);
  },
  weights: decoderWeights({
    router: 'block_sparse_moe.gate',
    'experts.#.gate': 'block_sparse_moe.experts.#.w1',
    'experts.#.up': 'block_sparse_moe.experts.#.w3',
    'experts.#.down': 'block_sparse_moe.experts.#.w2',
  }),
  stacks: (architecture, layer) => stackedExperts('block_sparse_moe.experts', architecture, layer),
};
