/**
 * Summary of a checkpoint for `inspect`. With a supported config the numbers follow from the architecture; otherwise
 * from the tensors.
 */
import type { Architecture } from './architecture';
import { type BlockKinds, kindsOf } from './block-kinds';
import { layerSizes } from './kinds/parts';
import { layerNumber, type LayerNumber } from './layer-numbers';
import { elements, layerParameters, parametersOf } from './parameters';
import { isRagged } from './ragged';
import { type Shares, sharesOf } from './shares';
import { type Traits, traitsOf } from './traits';
import type { Checkpoint } from './types';
import { modelTensors } from './used-tensors';
import type { TensorInfo } from '../formats/tensor';

/** Null if neither config nor tensors tell. */
export interface Summary {
  readonly path: string;
  readonly format: Checkpoint['format'] | 'gguf';
  /** The config's `model_type`, or `general.architecture` of a GGUF file. */
  readonly architecture: string | null;
  /** The config lists the shape of each block, which only Coppice reads. */
  readonly coppiceOnly: boolean;
  readonly blocks: number | null;
  /** Weights of the model, with tied ones counted once; stored elements if the architecture is unknown. */
  readonly parameters: number;
  /** Of its files: weights with their headers, tokenizer, config, model card and record. */
  readonly bytes: number;
  /** What of these bytes blocks and embedding have; null for a model that can only be inspected. */
  readonly shares: Shares | null;
  /** Stored elements by type. */
  readonly dtypes: Readonly<Record<string, number>>;
  readonly tied: boolean | null;
  readonly vocabulary: number | null;
  readonly hidden: number | null;
  readonly heads: LayerNumber | null;
  readonly kvHeads: LayerNumber | null;
  readonly headDim: LayerNumber | null;
  readonly ffn: LayerNumber | null;
  readonly context: number | null;
  /** What its blocks have that LLaMA's do not, in words; empty if the architecture is unknown. */
  readonly traits: Traits;
  /** What each block is made of; empty if the architecture is unknown. */
  readonly kinds: readonly BlockKinds[];
  readonly blockParameters: readonly number[];
  readonly shards: number;
  readonly identity: string;
  /** Why Coppice cannot compute with it; null if it can. */
  readonly unsupported: { readonly why: string; readonly action: string } | null;
  readonly notes: readonly string[];
}

type Dimensions = Pick<
  Summary,
  'blocks' | 'tied' | 'vocabulary' | 'hidden' | 'heads' | 'kvHeads' | 'headDim' | 'ffn' | 'context'
>;

/** The content of `coppice inspect`. */
export function summarize(checkpoint: Checkpoint): Summary {
  const tensors = modelTensors(checkpoint);
  const architecture = describedArchitecture(checkpoint);
  const type = checkpoint.config?.model_type;
  const { unsupported } = checkpoint;
  return {
    path: checkpoint.path,
    format: checkpoint.format,
    architecture: architecture?.family ?? (typeof type === 'string' ? type : null),
    coppiceOnly: isRagged(checkpoint.config ?? {}),
    parameters: countParameters(checkpoint),
    bytes: checkpoint.size.all,
    shares: sharesOf(checkpoint),
    dtypes: elementsByType(tensors),
    ...(architecture ? dimensionsOf(architecture) : guessDimensions(checkpoint)),
    traits: architecture ? traitsOf(architecture) : {},
    kinds: architecture ? kindsOf(architecture) : [],
    blockParameters: blockParameters(checkpoint),
    shards: checkpoint.shards.length,
    identity: checkpoint.identity,
    unsupported: unsupported ? { why: unsupported.why, action: unsupported.action } : null,
    notes: checkpoint.notes,
  };
}

/** Parameters of the model; stored elements if the architecture is unknown. */
function countParameters(checkpoint: Checkpoint): number {
  const architecture = describedArchitecture(checkpoint);
  return architecture ? parametersOf(architecture) : sumElements(checkpoint.tensors.values());
}

/** Parameters of every block, in order. */
function blockParameters(checkpoint: Checkpoint): number[] {
  const architecture = describedArchitecture(checkpoint);
  if (architecture) return layerParameters(architecture);
  const perBlock = storedBlocks(checkpoint);
  const blocks = blocksIn(perBlock);
  return Array.from({ length: blocks ?? 0 }, (_, block) => perBlock.get(block) ?? 0);
}

function describedArchitecture(checkpoint: Checkpoint): Architecture | undefined {
  return checkpoint.architecture ?? checkpoint.unsupported?.described;
}

function dimensionsOf(architecture: Architecture): Dimensions {
  const { layers, tied, vocabulary, hidden, context } = architecture;
  const each = (of: 'heads' | 'kvHeads' | 'headDim' | 'ffn'): LayerNumber =>
    layerNumber(layers.map((layer) => layerSizes(layer)[of]));
  return {
    blocks: layers.length,
    tied,
    vocabulary,
    hidden,
    heads: each('heads'),
    kvHeads: each('kvHeads'),
    headDim: each('headDim'),
    ffn: each('ffn'),
    context,
  };
}

/** Derived from the names and shapes that most decoders share. Heads and context are the config's own values. */
function guessDimensions(checkpoint: Checkpoint): Dimensions {
  const embed = findBySuffix(checkpoint, 'embed_tokens.weight', 2);
  const gate = findBySuffix(checkpoint, 'mlp.gate_proj.weight', 2);
  const stated = (field: string): number | null => {
    const value = checkpoint.config?.[field];
    return typeof value === 'number' && Number.isSafeInteger(value) && value > 0 ? value : null;
  };
  return {
    blocks: blocksIn(storedBlocks(checkpoint)),
    tied: embed ? !checkpoint.tensors.has('lm_head.weight') : null,
    vocabulary: embed?.shape[0] ?? stated('vocab_size'),
    hidden: embed?.shape[1] ?? stated('hidden_size'),
    heads: stated('num_attention_heads'),
    kvHeads: stated('num_key_value_heads'),
    headDim: stated('head_dim'),
    ffn: gate?.shape[0] ?? stated('intermediate_size'),
    context: stated('max_position_embeddings'),
  };
}

function findBySuffix(checkpoint: Checkpoint, suffix: string, rank: number): TensorInfo | undefined {
  for (const tensor of checkpoint.tensors.values()) {
    if (tensor.name.endsWith(suffix) && tensor.shape.length === rank) return tensor;
  }
  return undefined;
}

/** Up to 4 digits, because existing models have fewer blocks and the number sets the length of lists. */
const BLOCK_NAME = /(?:^|\.)(?:layers|h|blocks|layer|blk)\.(\d{1,4})\./;

/** Stored elements by block number. */
function storedBlocks(checkpoint: Checkpoint): ReadonlyMap<number, number> {
  const perBlock = new Map<number, number>();
  for (const { name, shape } of checkpoint.tensors.values()) {
    const match = BLOCK_NAME.exec(name);
    if (match) perBlock.set(Number(match[1]), (perBlock.get(Number(match[1])) ?? 0) + elements(shape));
  }
  return perBlock;
}

function blocksIn(perBlock: ReadonlyMap<number, number>): number | null {
  return perBlock.size === 0 ? null : Math.max(...perBlock.keys()) + 1;
}

function elementsByType(tensors: readonly TensorInfo[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { dtype, shape } of tensors) counts[dtype] = (counts[dtype] ?? 0) + elements(shape);
  return counts;
}

function sumElements(tensors: Iterable<TensorInfo>): number {
  let total = 0;
  for (const { shape } of tensors) total += elements(shape);
  return total;
}
