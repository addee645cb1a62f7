/** Qwen3 with experts (Qwen 2025): Qwen3's attention; dense blocks may stand between those with experts. */
import type { LayerShape } from '../architecture';
import { badField, count, countOr, flag, isSet, show, type Config } from '../fields';
import { MAX_DIMENSION } from '../../formats/limits';
import { attentionBiases, layersWith, type ModelFamily, type PrunedFields } from './family';
import { EXPERT_READS, readExperts, withExperts } from './moe';
import { stackedExperts } from './stacks';
import { decoderWeights } from './weights';
import { noWindows, windowWidth } from './windows';

const DENSE = 'mlp_only_layers';
const STEP = 'decoder_sparse_step';
const WIDTH = 'moe_intermediate_size';

export const qwen3Moe: ModelFamily = {
  modelType: 'qwen3_moe',
  className: 'Qwen3MoeForCausalLM',
  name: 'Qwen3 MoE',
  models: 'Qwen3 30B-A3B and 235B-A22B, Qwen3-Coder',
  special: 'experts; norms of queries and keys',
  defaults: { kvHeads: 4, context: 32_768 },
  reads: ['attention_bias', 'use_sliding_window', ...EXPERT_READS, DENSE, STEP, WIDTH],
  layers: (config, common) => {
    const window = flag(config, 'use_sliding_window', false) ? windowWidth(config) : null;
    const windows = noWindows(common.blocks).map(() => window);
    const layers = layersWith(windows, { config, common }, { biases: attentionBiases(config), qkNorm: 'head' });
    const width = count(config, WIDTH, MAX_DIMENSION.ffn, 768);
    const experts = readExperts(config, { usual: { count: 128, chosen: 8 }, width });
    const dense = denseBlocks(config);
    return withExperts(layers, (block) => (dense(block) ? undefined : experts));
  },
  weights: decoderWeights(),
  stacks: (architecture, layer) => stackedExperts('mlp.experts', architecture, layer),
  prunedConfig,
};

/** The blocks that have a dense FFN: those of a list, and those that a rule on block numbers leaves out. */
function denseBlocks(config: Config): (block: number) => boolean {
  const step = countOr(config, STEP, MAX_DIMENSION.blocks, 1);
  const listed = isSet(config, DENSE) ? config[DENSE] : [];
  if (!Array.isArray(listed) || !listed.every(Number.isInteger)) {
    throw badField(DENSE, `${show(listed)} is not a list of block numbers`);
  }
  return (block) => listed.includes(block) || (block + 1) % step !== 0;
}

/** Lists the dense blocks by their new numbers, and leaves no rule that would count these. */
function prunedConfig(config: Config, layers: readonly LayerShape[], kept: readonly number[]): PrunedFields {
  const isDense = (block: number): boolean => layers[block].ffn.kind === 'dense';
  if (!layers.some((_, block) => isDense(block)) && !isSet(config, DENSE) && !isSet(config, STEP)) return {};
  return { [DENSE]: [...kept.keys()].filter((place) => isDense(kept[place])), [STEP]: 1 };
}
