/** Asks a block for its attention or its dense FFN. What needs one of them asks here, so that every refusal is the same. */
import { UserError } from '../../errors';
import { option } from '../../option-token';
import type { LayerShape, LinearName, Rope } from '../architecture';
import type { AttentionMixer } from './attention';
import type { DenseFeedForward } from './dense';
import type { ExpertsFeedForward } from './experts';
import type { Carried, LastLinear } from './kind';
import { feedForwardKind, mixerKind } from '.';

/** The attention of a block, alone or beside another mixer; undefined if it has none. */
export function attentionIn({ mixer }: Pick<LayerShape, 'mixer'>): AttentionMixer | undefined {
  if (mixer.kind === 'parallel') return mixer.attention;
  return mixer.kind === 'attention' ? mixer : undefined;
}

/** The dense FFN of a block; undefined for another feed-forward. */
export const denseIn = ({ ffn }: Pick<LayerShape, 'ffn'>): DenseFeedForward | undefined =>
  ffn.kind === 'dense' ? ffn : undefined;

/** The experts of a block; undefined for another feed-forward. */
export const expertsIn = ({ ffn }: Pick<LayerShape, 'ffn'>): ExpertsFeedForward | undefined =>
  ffn.kind === 'experts' ? ffn : undefined;

/** The attention of a block, alone or beside another mixer. @throws UserError if it has none */
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

/** What a block carries from token to token beside keys and values; undefined for attention. */
export const carriedBy = ({ mixer }: Pick<LayerShape, 'mixer'>): Carried | undefined =>
  mixerKind(mixer).carried?.(mixer);

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

/** Numbers of a token that the last Linears of each module get together, which healing fits: 0 for experts alone. */
export function healedSizes({ mixer, ffn }: LayerShape): Pick<LayerSizes, 'mixer' | 'ffn'> {
  const together = (linears: readonly LastLinear[]): number => linears.reduce((sum, { width }) => sum + width, 0);
  return { mixer: together(mixerKind(mixer).last(mixer)), ffn: together(feedForwardKind(ffn).last(ffn)) };
}

/**
 * The first thing among the blocks that those of attention and a dense FFN do not have, in words; undefined if there is none. These
 * have all matrices of a layer in one, or none.
 */
export function otherKindIn(layers: readonly LayerShape[]): string | undefined {
  for (const { mixer, ffn } of layers) {
    if (mixer.kind !== 'attention' || mixer.gated) return mixer.kind === 'attention' ? GATED : mixerKind(mixer).words;
    if (ffn.kind !== 'dense') return feedForwardKind(ffn).words;
    if (mixer.fused !== ffn.fused) return MIXED_MATRICES;
  }
  return undefined;
}

/** What a block has whose attention is gated. */
const GATED = 'a gate on what attention gives';

/** What a block has that holds some matrices in one, and not the others. */
export const MIXED_MATRICES = 'gate and up in one matrix, and not q, k and v';

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

/** The blocks that have attention. */
export const attendingBlocks = (layers: readonly LayerShape[]): number[] =>
  [...layers.keys()].filter((block) => attentionIn(layers[block]));

/**
 * A model of several mixers keeps at least one block with attention: programs tell by its keys how much of a text they have read,
 * and transformers and llama.cpp fail without any.
 * @throws UserError if the blocks `removed` are all that have it
 */
export function requireAttentionLeft(layers: readonly LayerShape[], removed: readonly number[]): void {
  const attending = attendingBlocks(layers);
  if (attending.length === 0 || attending.length === layers.length) return;
  if (attending.some((block) => !removed.includes(block))) return;
  const [noun, them] =
    attending.length === 1 ? ['block', 'has it, and it goes'] : ['blocks', 'have it, and all of them go'];
  throw new UserError(
    'No block with attention would be left',
    `programs that load the model need one, and only ${noun} ${attending.join(', ')} ${them}`,
    `Keep one of these blocks: ${option('keep', attending[0])}.`,
  );
}

/** Says that blocks have one thing where another is needed. */
export function otherBlocks(has: string, needs: string): UserError {
  return new UserError(
    'This does not work for the model',
    `blocks of it have ${has} in place of ${needs}`,
    'Remove blocks by score, and write the checkpoint as safetensors.',
  );
}
