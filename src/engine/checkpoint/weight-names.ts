/** Names and shapes of the weights, defined by the model's family. Linear weights are stored (out, in). */
import type { Architecture } from './architecture';
import { familyOf } from './families';

export interface Weight {
  readonly name: string;
  readonly shape: readonly number[];
}

/** The weights of one block; optional ones are undefined if the architecture does not have them. */
export interface BlockWeights {
  /** Before attention. */
  readonly inputNorm?: Weight;
  readonly qkv?: Weight;
  readonly q?: Weight;
  readonly k?: Weight;
  readonly v?: Weight;
  readonly o: Weight;
  readonly qkvBias?: Weight;
  readonly qBias?: Weight;
  readonly kBias?: Weight;
  readonly vBias?: Weight;
  readonly oBias?: Weight;
  readonly qNorm?: Weight;
  readonly kNorm?: Weight;
  /** On what attention adds to the stream. */
  readonly attentionOutNorm?: Weight;
  /** Before the FFN. */
  readonly postNorm?: Weight;
  readonly gateUp?: Weight;
  readonly gate?: Weight;
  readonly up?: Weight;
  readonly down: Weight;
  readonly gateUpBias?: Weight;
  readonly gateBias?: Weight;
  readonly upBias?: Weight;
  readonly downBias?: Weight;
  /** On what the FFN adds to the stream. */
  readonly ffnOutNorm?: Weight;
}

/** The weights around the blocks; in a tied model `head` is `embed`. */
export interface OuterWeights {
  readonly embed: Weight;
  readonly finalNorm: Weight;
  readonly head: Weight;
}

const BLOCK_PREFIX = 'model.layers.';

/** The weights of block `block` (0-based). */
export function blockWeights(architecture: Architecture, block: number): BlockWeights {
  return familyOf(architecture).weights.block(architecture, block);
}

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
  for (let block = 0; block < a.layers.length; block++) yield* Object.values(blockWeights(a, block)) as Weight[];
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
