/** LFM2 and LFM2.5 (Liquid AI 2025): short convolutions in most blocks, attention in the others. */
import type { LayerShape } from '../architecture';
import { badField, count, flag, isSet, positive, show, type Config } from '../fields';
import { MAX_DIMENSION } from '../../formats/limits';
import type { Mixer } from '../kinds';
import { plainLayer } from '../kinds/plain';
import { readRope } from '../rope';
import type { Unsupported } from '../types';
import { type CommonShape, type ModelFamily } from './family';
import { decoderWeights } from './weights';

const LIST = 'layer_types';
const NUMBERS = 'full_attn_idxs';

export const lfm2: ModelFamily = {
  modelType: 'lfm2',
  className: 'Lfm2ForCausalLM',
  name: 'LFM2',
  models: 'LFM2 and LFM2.5: 350M to 2.6B',
  special: 'short convolutions in place of attention in most blocks',
  defaults: { kvHeads: 8, context: 128_000, bos: 1, eos: 2, eps: 1e-5, tied: true },
  reads: [
    ...[LIST, NUMBERS, 'conv_bias', 'conv_L_cache', 'norm_eps', 'tie_embedding'],
    ...['block_auto_adjust_ff_dim', 'block_ffn_dim_multiplier', 'block_multiple_of'],
    // Of its first files, which its class in transformers does not read.
    ...['conv_dim', 'conv_dim_out', 'conv_use_xavier_init', 'block_norm_eps', 'block_use_swiglu'],
  ],
  spelled,
  layers,
  weights: decoderWeights({
    inputNorm: 'operator_norm',
    o: 'self_attn.out_proj',
    qNorm: 'self_attn.q_layernorm',
    kNorm: 'self_attn.k_layernorm',
    postNorm: 'ffn_norm',
    gate: 'feed_forward.w1',
    up: 'feed_forward.w3',
    down: 'feed_forward.w2',
    finalNorm: 'model.embedding_norm',
  }),
};

/** Its names of the norms' ε, the tie and the width of the FFN, as transformers reads them. */
function spelled(config: Config): Config {
  const tied = flag(config, 'tie_embedding', flag(config, 'tie_word_embeddings', true));
  return {
    ...config,
    ...(isSet(config, 'norm_eps') && { rms_norm_eps: config.norm_eps }),
    tie_word_embeddings: tied,
    intermediate_size: ffnWidth(config),
  };
}

/** Two thirds of the width that the config says, by a factor, rounded up; unless it is to be taken as it stands. */
function ffnWidth(config: Config): number {
  const stated = count(
    config,
    isSet(config, 'block_ff_dim') ? 'block_ff_dim' : 'intermediate_size',
    MAX_DIMENSION.ffn,
    12_288,
  );
  if (!flag(config, 'block_auto_adjust_ff_dim', true)) return stated;
  const adjusted = Math.floor((2 * stated) / 3);
  if (config.block_ffn_dim_multiplier === null) return adjusted;
  const multiple = count(config, 'block_multiple_of', MAX_DIMENSION.ffn, 256);
  return multiple * Math.ceil(Math.floor(positive(config, 'block_ffn_dim_multiplier', 1) * adjusted) / multiple);
}

function layers(config: Config, common: CommonShape): readonly LayerShape[] | Unsupported {
  const rope = readRope(config, common, { theta: 1_000_000 });
  if ('why' in rope) return rope;
  const attends = attendingBlocks(config, common.blocks);
  if ('why' in attends) return attends;
  const { heads, kvHeads, headDim, ffn, hidden } = common;
  const plain = { heads, kvHeads, headDim, ffn, window: null, rope, biases: [], qkNorm: 'head', fused: false } as const;
  const convolution: Mixer = {
    kind: 'convolution',
    channels: hidden,
    kernel: count(config, 'conv_L_cache', MAX_DIMENSION.headDim, 3),
    biased: flag(config, 'conv_bias', false),
  };
  const attention = plainLayer(plain);
  return attends.map((isAttention) => (isAttention ? attention : { ...attention, mixer: convolution }));
}

/** Whether each block attends. Where both lists stand, the kinds count, as in transformers. */
function attendingBlocks(config: Config, blocks: number): readonly boolean[] | Unsupported {
  if (isSet(config, LIST)) {
    const types = config[LIST];
    if (!Array.isArray(types) || types.length !== blocks) {
      throw badField(LIST, `it does not list one kind for each of the ${blocks} blocks (num_hidden_layers)`);
    }
    const odd: unknown = types.find((type) => type !== 'full_attention' && type !== 'conv');
    if (odd === undefined) return types.map((type) => type === 'full_attention');
    return {
      why: `its layer_types name ${show(odd)}`,
      action: 'Coppice computes full_attention and conv; the checkpoint can be inspected.',
    };
  }
  if (!isSet(config, NUMBERS)) return Array<boolean>(blocks).fill(true);
  const numbers = config[NUMBERS];
  if (!Array.isArray(numbers) || numbers.some((block) => !Number.isSafeInteger(block))) {
    throw badField(NUMBERS, 'it is not a list of block numbers');
  }
  return Array.from({ length: blocks }, (_, block) => numbers.includes(block));
}
