/** Definition of a model family. Each family has its own file beside this one; index.ts lists them. */
import type { LayerShape } from '../architecture';
import type { Config } from '../fields';
import { readRope } from '../rope';
import type { Unsupported } from '../types';
import type { FamilyWeights } from './weights';
import type { Windows } from './windows';

export interface ModelFamily {
  /** `model_type` in config.json. */
  readonly modelType: string;
  /** Defaults of transformers' configuration class for absent fields. */
  readonly defaults: FamilyDefaults;
  /** Fields of the config that change the computation of a block and that this family reads, so they are accepted. */
  readonly reads?: readonly string[];
  /**
   * The shape of every block, in order, or the reason why it cannot be computed.
   * @throws UserError for a field that is missing or impossible
   */
  readonly layers: (config: Config, common: CommonShape) => readonly LayerShape[] | Unsupported;
  /** Names and shapes of the weights. */
  readonly weights: FamilyWeights;
  /**
   * Fields to set in the config of a pruned model, because they define properties of blocks by a rule on block numbers.
   * @param layers of the whole model
   * @param kept the kept blocks, ascending
   */
  readonly prunedConfig?: (config: Config, layers: readonly LayerShape[], kept: readonly number[]) => PrunedFields;
}

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
export interface CommonShape extends Pick<LayerShape, 'heads' | 'kvHeads' | 'headDim' | 'ffn'> {
  readonly blocks: number;
  readonly context: number;
}

export type PrunedFields = Readonly<Record<string, number | readonly (number | string)[]>>;

/**
 * Blocks that differ only in their windows.
 * @param windows one for each block, or why they cannot be computed
 * @throws UserError for a field that is missing or impossible
 */
export function layersWith(
  windows: Windows | Unsupported,
  { config, common, theta }: { readonly config: Config; readonly common: CommonShape; readonly theta?: number },
  { biases = [], qkNorm = false }: Partial<Pick<LayerShape, 'biases' | 'qkNorm'>> = {},
): readonly LayerShape[] | Unsupported {
  if ('why' in windows) return windows;
  const { blocks: _, context, ...shape } = common;
  const rope = readRope(config, context, theta);
  if ('why' in rope) return rope;
  return windows.map((window) => ({ ...shape, window, rope, biases, qkNorm }));
}
