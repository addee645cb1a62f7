/** Definition of a model family. Each family has its own file beside this one; index.ts lists them. */
import type { Architecture, LayerShape, LinearName, Rope, Style } from '../architecture';
import type { AttentionMixer } from '../kinds/attention';
import { plainLayer } from '../kinds/plain';
import { flag, type Config } from '../fields';
import { readRope } from '../rope';
import type { Stack } from '../stacks';
import type { Unsupported } from '../types';
import type { FamilyWeights } from './weights';
import type { Windows } from './windows';

export interface ModelFamily {
  /** `model_type` in config.json. */
  readonly modelType: string;
  /** Its class in transformers. */
  readonly className: string;
  /** For texts with little room. */
  readonly name: string;
  /** What people call its models, for tables. */
  readonly models: string;
  /** What its blocks have that LLaMA's do not, for tables. */
  readonly special: string;
  /** Defaults of transformers' configuration class for absent fields. */
  readonly defaults: FamilyDefaults;
  /** Fields of the config that change the computation of a block and that this family reads, so they are accepted. */
  readonly reads?: readonly string[];
  /** The config in the words that all families share, where the family has words of its own. */
  readonly spelled?: (config: Config) => Config;
  /**
   * The shape of every block, in order, or the reason why it cannot be computed.
   * @throws UserError for a field that is missing or impossible
   */
  readonly layers: (config: Config, common: CommonShape) => readonly LayerShape[] | Unsupported;
  /** How it computes; LLaMA's style if absent. */
  readonly style?: (config: Config, common: CommonShape) => Style | Unsupported;
  /** Names and shapes of the weights. */
  readonly weights: FamilyWeights;
  /**
   * Fields to set in the config of a pruned model, because they define properties of blocks by a rule on block numbers.
   * @param layers of the whole model
   * @param kept the kept blocks, ascending
   */
  readonly prunedConfig?: (config: Config, layers: readonly LayerShape[], kept: readonly number[]) => PrunedFields;
  /** Tensors that a block may have in place of those of single weights. */
  readonly stacks?: (architecture: Architecture, layer: number) => readonly Stack[];
  /** Whether its files have no other tensors for these weights. */
  readonly alwaysStacked?: true;
  /** The scheme of quantized weights that its `stacks` read. */
  readonly packed?: string;
  /** What its class in transformers can say of narrower blocks; undefined if it was not tried. */
  readonly narrower?: NarrowerClass;
}

/**
 * What a class of transformers can say about blocks that all have the same shape. Checked against transformers 5.24 by
 * bench/peers/load_width.py, the further families by test/engine/write/width-styles.test.ts.
 */
export interface NarrowerClass {
  /** Linears that always have a bias. */
  readonly always?: readonly LinearName[];
  /** Flags of the config, and the Linears that have a bias with each. */
  readonly switches?: Readonly<Record<string, readonly LinearName[]>>;
  /** It computes LLaMA's block, so that it can stand for another one that does. */
  readonly plain?: true;
  /** It refuses numbers of heads that do not divide the hidden size, even if `head_dim` is given. */
  readonly headsDivide?: true;
  /** It counts the factors of LongRoPE by the hidden size and the number of heads, even if `head_dim` is given. */
  readonly countsFactors?: true;
  /** Fields of its own by which it computes LLaMA's block: no windows, no dropout in training. */
  readonly without?: Readonly<Record<string, number | null>>;
}

export const QUERIES: readonly LinearName[] = ['q', 'k', 'v'];
export const ATTENTION: readonly LinearName[] = [...QUERIES, 'o'];
export const MLP: readonly LinearName[] = ['gate', 'up', 'down'];

/** Linears with a bias by `attention_bias`, as in LLaMA. */
export const attentionBiases = (config: Config): readonly LinearName[] =>
  flag(config, 'attention_bias', false) ? ATTENTION : [];

/** Linears with a bias by `mlp_bias`. */
export const mlpBiases = (config: Config): readonly LinearName[] => (flag(config, 'mlp_bias', false) ? MLP : []);

export interface FamilyDefaults {
  /** `max_position_embeddings` */
  readonly context: number;
  /** `num_key_value_heads`; undefined means the number of query heads. */
  readonly kvHeads?: number;
  /** `head_dim`; undefined means hidden size divided by query heads. */
  readonly headDim?: number;
  readonly bos?: number;
  readonly eos?: number;
  /** `rms_norm_eps`; 1e-6 when undefined. */
  readonly eps?: number;
  /** `tie_word_embeddings`; false when undefined. */
  readonly tied?: boolean;
}

/** Fields that all families have in common. */
export interface CommonShape extends Pick<AttentionMixer, 'heads' | 'kvHeads' | 'headDim'> {
  /** `intermediate_size` */
  readonly ffn: number;
  readonly blocks: number;
  readonly hidden: number;
  readonly context: number;
}

export type PrunedFields = Readonly<Record<string, number | readonly (number | string)[]>>;

/**
 * Blocks that differ only in their windows and rotations.
 * @param windows one for each block, or why they cannot be computed
 * @param rope of all blocks, or of each; that of the config when omitted
 * @throws UserError for a field that is missing or impossible
 */
export function layersWith(
  windows: Windows | Unsupported,
  { config, common }: { readonly config: Config; readonly common: CommonShape },
  {
    biases = [],
    qkNorm = null,
    fused = false,
    ...more
  }: Partial<Pick<AttentionMixer, 'biases' | 'qkNorm' | 'fused' | 'clip' | 'sinks'>> = {},
  rope: Rope | Unsupported | ((block: number) => Rope | null) = readRope(config, common),
): readonly LayerShape[] | Unsupported {
  if ('why' in windows) return windows;
  if ('why' in rope) return rope;
  const { heads, kvHeads, headDim, ffn } = common;
  return windows.map((window, block) => {
    const own = typeof rope === 'function' ? rope(block) : rope;
    return plainLayer({ heads, kvHeads, headDim, ffn, window, rope: own, biases, qkNorm, fused, ...more });
  });
}
