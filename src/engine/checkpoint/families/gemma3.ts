/**
 * Gemma 3 (Google 2025), its language model: as Gemma 2 with norms of queries and keys in place of the cap on scores. Most
 * blocks have a window and a rotation of their own, every sixth one sees everything.
 */
import { countOr, positiveOr, section, type Config } from '../fields';
import { MAX_DIMENSION } from '../../formats/limits';
import { filled, readRope, readRopeOf } from '../rope';
import type { Rope } from '../architecture';
import type { Unsupported } from '../types';
import {
  ATTENTION,
  attentionBiases,
  type CommonShape,
  layersWith,
  type ModelFamily,
  type PrunedFields,
} from './family';
import { gemmaStyle, TANH_GELU } from './gemma';
import { cap, GEMMA2_READS, queryScale } from './gemma2';
import { decoderWeights } from './weights';
import { layerTypes, slidingBlocks, slidingWindows, windowWidth } from './windows';

export const gemma3: ModelFamily = {
  modelType: 'gemma3_text',
  className: 'Gemma3ForCausalLM',
  name: 'Gemma 3',
  models: 'Gemma 3: 270M, 1B; the text part of 4B, 12B and 27B (`gemma3`)',
  special: 'norms of queries and keys; five blocks of six have a window and a rotation of their own',
  defaults: { kvHeads: 4, headDim: 256, context: 131_072, bos: 2, eos: 1, tied: true },
  reads: [...GEMMA2_READS, 'rope_local_base_freq'],
  layers: (config, common) => {
    const sliding = slidingBlocks(config, common.blocks, slidingByRule(config));
    if ('why' in sliding) return sliding;
    const ropes = readRopes(config, common);
    if ('why' in ropes) return ropes;
    return layersWith(
      slidingWindows(sliding, windowWidth(config)),
      { config, common },
      { biases: attentionBiases(config), qkNorm: 'head' },
      (block) => (sliding[block] ? ropes.local : ropes.global),
    );
  },
  style: (config, common) => {
    const style = gemmaStyle(config, common, 'hidden_activation', TANH_GELU);
    if ('why' in style) return style;
    const logitCap = cap(config, 'final_logit_softcapping', null);
    return { ...style, norms: 'both', scoreScale: queryScale(config), logitCap };
  },
  weights: decoderWeights({ postNorm: 'pre_feedforward_layernorm' }),
  prunedConfig: (config, _layers, kept): PrunedFields => {
    if (Array.isArray(config.layer_types)) return {};
    return { layer_types: layerTypes(kept, slidingByRule(config)) };
  },
  narrower: { switches: { attention_bias: ATTENTION }, headsDivide: true },
};

/** The kind of a block where the config does not list it. */
function slidingByRule(config: Config): (block: number) => boolean {
  const pattern = countOr(config, 'sliding_window_pattern', MAX_DIMENSION.blocks, 6);
  return (block) => (block + 1) % pattern !== 0;
}

/** Sliding blocks turn faster and are never scaled. */
function readRopes(config: Config, common: CommonShape): { readonly local: Rope; readonly global: Rope } | Unsupported {
  const nested = filled(config, 'rope_parameters');
  const ofKind = (kind: string): Config | undefined => nested && section(nested, kind);
  const [full, sliding] = [ofKind('full_attention'), ofKind('sliding_attention')];
  const rules = { theta: 1_000_000 };
  const global = full ? readRopeOf(full, config, common, rules) : readRope(withoutNested(config), common, rules);
  if ('why' in global) return global;
  const localTheta = { rope_theta: positiveOr(config, 'rope_local_base_freq', 10_000) };
  const local = readRopeOf({ ...localTheta, ...sliding }, config, common, rules);
  return 'why' in local ? local : { local, global };
}

/** Flat `rope_parameters` hold for full blocks; nested ones are read by kind. */
function withoutNested(config: Config): Config {
  const nested = filled(config, 'rope_parameters');
  const isNested = nested !== undefined && ('full_attention' in nested || 'sliding_attention' in nested);
  return isNested ? { ...config, rope_parameters: undefined } : config;
}
