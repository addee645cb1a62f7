/** SmolLM3 (Hugging Face 2025): LLaMA's block, without rotation in every fourth block. */
import type { LayerShape } from '../architecture';
import { badField, countOr, flag, isSet, show, type Config } from '../fields';
import { MAX_DIMENSION } from '../../formats/limits';
import { ropeOf, windowOf } from '../kinds/parts';
import { readRope } from '../rope';
import { ATTENTION, attentionBiases, layersWith, MLP, mlpBiases, type ModelFamily, type PrunedFields } from './family';
import { decoderWeights } from './weights';
import { layerTypes, slidingBlocks, slidingWindows, windowWidth } from './windows';

const LIST = 'no_rope_layers';
const INTERVAL = 'no_rope_layer_interval';

export const smollm3: ModelFamily = {
  modelType: 'smollm3',
  className: 'SmolLM3ForCausalLM',
  name: 'SmolLM3',
  models: 'SmolLM3 3B',
  special: 'no rotation in every fourth block',
  defaults: { kvHeads: 4, context: 32_768, bos: 128_000, eos: 128_001, tied: true },
  reads: [LIST, INTERVAL, 'layer_types', 'use_sliding_window', 'attention_bias', 'mlp_bias'],
  layers: (config, common) => {
    const rotated = rotatedBlocks(config, common.blocks);
    const window = windowWidth(config, null);
    const slides = flag(config, 'use_sliding_window', false) && window !== null;
    const sliding = slidingBlocks(config, common.blocks, (block) => slides && !rotated[block]);
    const rope = readRope(config, common, { theta: 2_000_000 });
    if ('why' in rope) return rope;
    return layersWith(
      slidingWindows(sliding, window),
      { config, common },
      { biases: [...attentionBiases(config), ...mlpBiases(config)] },
      (block) => (rotated[block] ? rope : null),
    );
  },
  weights: decoderWeights(),
  prunedConfig,
  narrower: { switches: { attention_bias: ATTENTION, mlp_bias: MLP } },
};

/** Whether each block rotates queries and keys. In the list, 1 means that it does, whatever its name says. */
function rotatedBlocks(config: Config, blocks: number): readonly boolean[] {
  if (!isSet(config, LIST)) {
    const interval = countOr(config, INTERVAL, MAX_DIMENSION.blocks, 4);
    return Array.from({ length: blocks }, (_, block) => (block + 1) % interval !== 0);
  }
  const list = config[LIST];
  // Models that were made shorter keep the list of the longer one.
  if (!Array.isArray(list) || list.length < blocks) {
    throw badField(LIST, `it does not list a number for each of the ${blocks} blocks (num_hidden_layers)`);
  }
  const odd: unknown = list.find((entry) => entry !== 0 && entry !== 1 && typeof entry !== 'boolean');
  if (odd !== undefined) throw badField(LIST, `${show(odd)} is neither 0 nor 1`);
  return list.slice(0, blocks).map(Boolean);
}

/** Writes both rules out, so that no reader counts blocks. */
function prunedConfig(config: Config, layers: readonly LayerShape[], kept: readonly number[]): PrunedFields {
  const rotated = kept.map((block) => (ropeOf(layers[block]) ? 1 : 0));
  const slides = layers.some((layer) => windowOf(layer) !== null) && !Array.isArray(config.layer_types);
  return {
    [LIST]: rotated,
    ...(slides && { layer_types: layerTypes(kept, (block) => windowOf(layers[block]) !== null) }),
  };
}
