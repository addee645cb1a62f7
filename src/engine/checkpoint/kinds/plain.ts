/** A block of attention and a dense FFN, which most families have throughout, and which has one list of biases. */
import type { Architecture, LayerShape, LinearName } from '../architecture';
import type { StreamNorm } from '../weight-key';
import type { AttentionMixer, AttentionWeight } from './attention';
import { ATTENTION_KIND } from './attention';
import type { DenseWeight } from './dense';
import { DENSE_KIND } from './dense';
import { mixerKind } from '.';
import { attentionOf, biasesOf, denseOf, MIXED_MATRICES, otherBlocks } from './parts';

/** The names of its weights. */
export type PlainWeightName = StreamNorm | AttentionWeight | DenseWeight;

/** Its settings side by side: attention's, and the width of the FFN. */
export interface PlainShape extends Omit<AttentionMixer, 'kind'> {
  /** Width of the FFN. */
  readonly ffn: number;
}

/** The block with these settings. */
export function plainLayer({ ffn, biases, fused, ...attention }: PlainShape): LayerShape {
  const of = ({ linears }: { readonly linears: readonly LinearName[] }): LinearName[] =>
    biases.filter((name) => linears.includes(name));
  return {
    mixer: { kind: 'attention', ...attention, biases: of(ATTENTION_KIND), fused },
    ffn: { kind: 'dense', width: ffn, biases: of(DENSE_KIND), fused },
  };
}

/** The settings of such a block. @throws UserError for a block of another kind */
export function plainShape(layer: LayerShape): PlainShape {
  if (layer.mixer.kind === 'parallel') throw otherBlocks(mixerKind(layer.mixer).words, 'attention');
  const { kind: _, ...attention } = attentionOf(layer);
  const { width, fused } = denseOf(layer);
  if (fused !== attention.fused) throw otherBlocks(`${MIXED_MATRICES},`, 'either');
  return { ...attention, ffn: width, biases: biasesOf(layer) };
}

/** A model all of whose blocks are such. */
export interface PlainArchitecture extends Omit<Architecture, 'layers'> {
  readonly layers: readonly PlainShape[];
}

/** The model by the settings of its blocks. @throws UserError for blocks of other kinds */
export const plainModel = (architecture: Architecture): PlainArchitecture => ({
  ...architecture,
  layers: architecture.layers.map(plainShape),
});
