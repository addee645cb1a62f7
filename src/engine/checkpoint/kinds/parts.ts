/** Asks a block for its attention or its dense FFN. What needs one of them asks here, so that every refusal is the same. */
import { UserError } from '../../errors';
import type { LayerShape, LinearName, Rope } from '../architecture';
import type { AttentionMixer } from './attention';
import type { DenseFeedForward } from './dense';
import type { ExpertsFeedForward } from './experts';
import { feedForwardKind, mixerKind } from '.';

/** The attention of a block; undefined for another mixer. */
export const attentionIn = ({ mixer }: Pick<LayerShape, 'mixer'>): AttentionMixer | undefined =>
  mixer.kind === 'attention' ? mixer : undefined;

/** The dense FFN of a block; undefined for another feed-forward. */
export const denseIn = ({ ffn }: Pick<LayerShape, 'ffn'>): DenseFeedForward | undefined =>
  ffn.kind === 'dense' ? ffn : undefined;

/** The experts of a block; undefined for another feed-forward. */
export const expertsIn = ({ ffn }: Pick<LayerShape, 'ffn'>): ExpertsFeedForward | undefined =>
  ffn.kind === 'experts' ? ffn : undefined;

/** The attention of a block. @throws UserError for another mixer */
export function attentionOf(layer: Pick<LayerShape, 'mixer'>): AttentionMixer {
  const found = attentionIn(layer);
  if (!found) throw otherBlocks(mixerKind(layer.mixer).words, 'attention');
  return found;
}

/** The dense FFN of a block. @throws UserError for another feed-forward */
export function denseOf(layer: Pick<LayerShape, 'ffn'>): DenseFeedForward {
  const found = denseIn(layer);
  if (!found) throw otherBlocks(feedForwardKind(layer.ffn).words, 'a dense FFN');
  return found;
}

/** The window of a block's attention; null for none, and for other mixers. */
export const windowOf = (layer: Pick<LayerShape, 'mixer'>): number | null => attentionIn(layer)?.window ?? null;

/** The rotation of a block's attention; null for none, and for other mixers. */
export const ropeOf = (layer: Pick<LayerShape, 'mixer'>): Rope | null => attentionIn(layer)?.rope ?? null;

/** The Linears of a block with a bias, in the order of `LinearName`. */
export const biasesOf = (layer: LayerShape): readonly LinearName[] => [
  ...(attentionIn(layer)?.biases ?? []),
  ...(denseIn(layer)?.biases ?? []),
];

/** Sizes of a block for people and estimates: 0 for what its kinds do not have. */
export interface LayerSizes {
  readonly heads: number;
  readonly kvHeads: number;
  readonly headDim: number;
  /** Numbers of a token between the products of the feed-forward. */
  readonly ffn: number;
  /** The same of the mixer. */
  readonly mixer: number;
}

export function layerSizes(layer: LayerShape): LayerSizes {
  const { heads = 0, kvHeads = 0, headDim = 0 } = attentionIn(layer) ?? {};
  const ffn = feedForwardKind(layer.ffn).inner(layer.ffn);
  return { heads, kvHeads, headDim, ffn, mixer: mixerKind(layer.mixer).inner(layer.mixer) };
}

/** The first kind among the blocks that is neither attention nor a dense FFN, in words; undefined if there is none. */
export function otherKindIn(layers: readonly LayerShape[]): string | undefined {
  for (const layer of layers) {
    if (!attentionIn(layer)) return mixerKind(layer.mixer).words;
    if (!denseIn(layer)) return feedForwardKind(layer.ffn).words;
  }
  return undefined;
}

/**
 * Refuses a model with other blocks than those of attention and a dense FFN.
 * @param what failed, and `action` what to do in its place
 * @throws UserError
 */
export function requirePlainBlocks(
  { layers }: { readonly layers: readonly LayerShape[] },
  what: string,
  action: string,
): void {
  const other = otherKindIn(layers);
  if (other !== undefined) throw new UserError(what, `blocks of it have ${other}`, action);
}

function otherBlocks(has: string, needs: string): UserError {
  return new UserError(
    'This does not work for the model',
    `blocks of it have ${has} in place of ${needs}`,
    'Remove blocks by score, and write the checkpoint as safetensors.',
  );
}
