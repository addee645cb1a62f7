/** Qwen3.5 and 3.6, dense (Qwen 2026): gated delta nets in most blocks, attention with a gate in the others. */
import { type LayerShape, PLAIN_STYLE } from '../architecture';
import { badField, count, flag, isSet, show, type Config } from '../fields';
import { plainLayer } from '../kinds/plain';
import type { Mixer } from '../kinds';
import { MAX_DIMENSION } from '../../formats/limits';
import { readRope } from '../rope';
import type { Unsupported } from '../types';
import { attentionBiases, type CommonShape, type ModelFamily, type PrunedFields } from './family';
import { decoderWeights } from './weights';

const LIST = 'layer_types';
const INTERVAL = 'full_attention_interval';
const KINDS = ['linear_attention', 'full_attention'];
/** Entries of a head that turn where the config is silent. */
const TURNED = 0.25;

export const qwen35: ModelFamily = {
  modelType: 'qwen3_5_text',
  className: 'Qwen3_5ForCausalLM',
  name: 'Qwen3.5',
  models: 'Qwen3.5 and 3.6, dense: 0.8B to 27B',
  special:
    'gated delta nets in place of attention in most blocks; a gate on what attention gives; norms of queries and keys',
  defaults: { context: 32_768, kvHeads: 4, headDim: 256 },
  reads: [
    ...[LIST, INTERVAL, 'attention_bias', 'attn_output_gate', 'partial_rotary_factor'],
    ...['conv_kernel_dim', 'key_head_dim', 'value_head_dim', 'num_key_heads', 'num_value_heads'].map(
      (name) => `linear_${name}`,
    ),
    // The three streams of positions are one where all tokens are text.
    ...['mrope_section', 'mrope_interleaved'],
    // A draft beside the blocks, and how its class computes.
    ...['mtp_num_hidden_layers', 'mtp_use_dedicated_embeddings', 'mamba_ssm_dtype'],
  ],
  layers,
  style: () => ({ ...PLAIN_STYLE, normOffset: 1 }),
  weights: decoderWeights(),
  prunedConfig,
};

function layers(config: Config, common: CommonShape): readonly LayerShape[] | Unsupported {
  if (!flag(config, 'attn_output_gate', true)) {
    return { why: 'its attention has no gate (attn_output_gate)', action: 'The checkpoint can be inspected.' };
  }
  const rope = readRope(partlyTurned(config), common, { partial: true });
  if ('why' in rope) return rope;
  const attends = attendingBlocks(config, common.blocks);
  if ('why' in attends) return attends;
  const { heads, kvHeads, headDim, ffn } = common;
  const biases = attentionBiases(config);
  const plain = plainLayer({ heads, kvHeads, headDim, ffn, window: null, rope, biases, qkNorm: 'head', fused: false });
  const attention: LayerShape = { ...plain, mixer: { ...plain.mixer, gated: true } as Mixer };
  const delta: LayerShape = { ...plain, mixer: deltaNet(config) };
  return attends.map((isAttention) => (isAttention ? attention : delta));
}

function deltaNet(config: Config): Mixer {
  const number = (name: string, usual: number): number => count(config, `linear_${name}`, MAX_DIMENSION.hidden, usual);
  const [keyHeads, heads] = [number('num_key_heads', 16), number('num_value_heads', 32)];
  if (heads % keyHeads !== 0) {
    throw badField('linear_num_key_heads', `${keyHeads} key heads cannot serve ${heads} value heads`);
  }
  return {
    kind: 'deltaNet',
    ...{ keyHeads, heads },
    keyWidth: number('key_head_dim', 128),
    valueWidth: number('value_head_dim', 128),
    kernel: number('conv_kernel_dim', 4),
  };
}

/** Its class turns a quarter of each head where the config is silent. */
function partlyTurned(config: Config): Config {
  const rope = config.rope_parameters;
  const says = (part: unknown): boolean => typeof part === 'object' && part !== null && 'partial_rotary_factor' in part;
  return says(config) || says(rope) ? config : { ...config, partial_rotary_factor: TURNED };
}

/** Whether each block attends: by its list, else every fourth. */
function attendingBlocks(config: Config, blocks: number): readonly boolean[] | Unsupported {
  if (!isSet(config, LIST)) {
    const interval = count(config, INTERVAL, MAX_DIMENSION.blocks, 4);
    return Array.from({ length: blocks }, (_, block) => (block + 1) % interval === 0);
  }
  const types = config[LIST];
  if (!Array.isArray(types) || types.length !== blocks) {
    throw badField(LIST, `it does not list one kind for each of the ${blocks} blocks (num_hidden_layers)`);
  }
  const odd: unknown = types.find((type) => !KINDS.includes(type as string));
  if (odd === undefined) return types.map((type) => type === 'full_attention');
  return { why: `its layer_types name ${show(odd)}`, action: `Coppice computes ${KINDS.join(' and ')}.` };
}

/** Writes out which block has what, where only a rule on block numbers says so. */
function prunedConfig(config: Config, all: readonly LayerShape[], kept: readonly number[]): PrunedFields {
  if (isSet(config, LIST)) return {};
  return { [LIST]: kept.map((block) => KINDS[Number(all[block].mixer.kind === 'attention')]) };
}
