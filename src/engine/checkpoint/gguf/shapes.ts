/** A block as a GGUF file can say it: attention, and a dense FFN or experts. */
import type { Architecture, LayerShape } from '../architecture';
import type { ExpertsFeedForward } from '../kinds/experts';
import { attentionOf, biasesOf, denseOf } from '../kinds/parts';
import { plainLayer, type PlainShape } from '../kinds/plain';

/** Its settings side by side. `ffn` is the width of the dense FFN, or of each expert. */
export interface GgufShape extends PlainShape {
  /** Absent in a block with a dense FFN. */
  readonly experts?: Omit<ExpertsFeedForward, 'kind' | 'width'>;
}

/** The block with these settings. */
export function ggufLayer({ experts, ...plain }: GgufShape): LayerShape {
  const layer = plainLayer(plain);
  return experts ? { ...layer, ffn: { kind: 'experts', ...experts, width: plain.ffn } } : layer;
}

/** The settings of a block. @throws UserError for a block of other kinds */
export function ggufShape(layer: LayerShape): GgufShape {
  const { kind: _, ...attention } = attentionOf(layer);
  const biases = biasesOf(layer);
  if (layer.ffn.kind !== 'experts') return { ...attention, ffn: denseOf(layer).width, biases };
  const { kind: _kind, width, ...experts } = layer.ffn;
  return { ...attention, ffn: width, biases, experts };
}

/** A model all of whose blocks are such. */
export interface GgufArchitecture extends Omit<Architecture, 'layers'> {
  readonly layers: readonly GgufShape[];
}

/** The model by the settings of its blocks. @throws UserError for blocks of other kinds */
export const ggufModel = (architecture: Architecture): GgufArchitecture => ({
  ...architecture,
  layers: architecture.layers.map(ggufShape),
});
