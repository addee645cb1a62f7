/** Names and shapes of the weights, defined by the model's family. Linear weights are stored (out, in). */
import type { Architecture } from './architecture';
import { familyOf } from './families';
import type { Weights } from './kinds/kind';

export interface Weight {
  readonly name: string;
  readonly shape: readonly number[];
}

/** The weights of one block by Coppice's names, in the order of lists and counts: the mixer's, then the feed-forward's. */
export interface BlockWeights {
  readonly mixer: Weights;
  readonly ffn: Weights;
}

/** The weights around the blocks; in a tied model `head` is `embed`. */
export interface OuterWeights {
  readonly embed: Weight;
  readonly finalNorm: Weight;
  readonly head: Weight;
}

const BLOCK_PREFIX = 'model.layers.';

/** The weights of block `block` (0-based) by module. Lists of them ask often, so they are kept. */
export function moduleWeights(architecture: Architecture, block: number): BlockWeights {
  let blocks = known.get(architecture);
  if (!blocks) known.set(architecture, (blocks = new Map<number, BlockWeights>()));
  let weights = blocks.get(block);
  if (!weights) blocks.set(block, (weights = familyOf(architecture).weights.block(architecture, block)));
  return weights;
}

const known = new WeakMap<Architecture, Map<number, BlockWeights>>();

/** The weights of block `block` (0-based). */
export function blockWeights(architecture: Architecture, block: number): Weights {
  const { mixer, ffn } = moduleWeights(architecture, block);
  return { ...mixer, ...ffn };
}

/** Weights without their names, in order. */
export const listOf = (weights: Weights): Weight[] => Object.values(weights) as Weight[];

export function outerWeights(architecture: Architecture): OuterWeights {
  return familyOf(architecture).weights.outer(architecture);
}

/** The head of a model, if it is not the embedding. */
export function ownHead(architecture: Architecture): Weight {
  return outerWeights({ ...architecture, tied: false }).head;
}

/** Every weight of the model once: embedding, blocks in order, final norm, and the head unless it is the embedding. */
export function* allWeights(a: Architecture): Generator<Weight> {
  const { embed, finalNorm, head } = outerWeights(a);
  yield embed;
  for (let block = 0; block < a.layers.length; block++) yield* listOf(blockWeights(a, block));
  yield finalNorm;
  if (head !== embed) yield head;
}

/** The block that a tensor belongs to and its name within the block; undefined for tensors outside the blocks. */
export function blockOfTensor(name: string): { readonly block: number; readonly rest: string } | undefined {
  const match = /^model\.layers\.(0|[1-9]\d{0,5})\.(.+)$/.exec(name);
  return match ? { block: Number(match[1]), rest: match[2] } : undefined;
}

/** The name of a block's tensor after the block moves to position `block`. */
export function blockTensorName(block: number, rest: string): string {
  return `${BLOCK_PREFIX}${block}.${rest}`;
}
