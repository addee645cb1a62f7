/** A block as a GGUF file can say it: attention or another mixer, and a dense FFN or experts. */
import type { Architecture, LayerShape } from '../architecture';
import type { DenseFeedForward } from '../kinds/dense';
import type { ExpertsFeedForward } from '../kinds/experts';
import type { Mixer } from '../kinds';
import type { AttentionMixer } from '../kinds/attention';
import type { ParallelMixer } from '../kinds/parallel';
import { attentionIn, denseIn, denseOf } from '../kinds/parts';
import { plainLayer, type PlainShape } from '../kinds/plain';
import { cannotWrite, SAFETENSORS } from './cannot';

/** Its settings side by side. `ffn` is the width of the dense FFN, or of each expert. */
export interface GgufShape extends PlainShape {
  /** Absent in a block with a dense FFN. */
  readonly experts?: Omit<ExpertsFeedForward, 'kind' | 'width'>;
  /**
   * What the block has in place of attention; absent in one with attention alone. The settings of attention are then those of the
   * model's first block that has some.
   */
  readonly other?: OtherMixer;
}

/** Another mixer than attention; where it is beside attention, without that. */
export type OtherMixer = Exclude<Mixer, { readonly kind: 'attention' | 'parallel' }> | Omit<ParallelMixer, 'attention'>;

/** The block with these settings. */
export function ggufLayer({ experts, other, ...plain }: GgufShape): LayerShape {
  const layer = plainLayer(plain);
  if (other?.kind === 'parallel') {
    const mixer: Mixer = { ...other, attention: layer.mixer as AttentionMixer };
    return { mixer, ffn: { ...(layer.ffn as DenseFeedForward), factors: { gate: 1, output: 1 } } };
  }
  return {
    mixer: other ?? layer.mixer,
    ffn: experts ? { kind: 'experts', ...experts, width: plain.ffn } : layer.ffn,
  };
}

/** A model all of whose blocks are such. */
export interface GgufArchitecture extends Omit<Architecture, 'layers'> {
  readonly layers: readonly GgufShape[];
}

/** The settings of blocks. @throws UserError if none has attention, or one a feed-forward of another kind */
export function ggufShapes(layers: readonly LayerShape[]): GgufShape[] {
  const first = layers.map(attentionIn).find((attention) => attention !== undefined);
  if (!first) throw cannotWrite('no block of it has attention, and llama.cpp needs one', SAFETENSORS);
  return layers.map((layer): GgufShape => {
    const { mixer, ffn } = layer;
    const { kind: _, ...attention } = attentionIn(layer) ?? first;
    const shape = {
      ...attention,
      biases: [...attention.biases, ...(denseIn(layer)?.biases ?? [])],
      ...(mixer.kind !== 'attention' && { other: withoutAttention(mixer) }),
    };
    if (ffn.kind !== 'experts') return { ...shape, ffn: denseOf(layer).width };
    const { kind: _kind, width, ...experts } = ffn;
    return { ...shape, ffn: width, experts };
  });
}

function withoutAttention(mixer: Exclude<Mixer, AttentionMixer>): OtherMixer {
  if (mixer.kind !== 'parallel') return mixer;
  const { attention: _, ...beside } = mixer;
  return beside;
}

/** The model by the settings of its blocks. @throws UserError as `ggufShapes` */
export const ggufModel = (architecture: Architecture): GgufArchitecture => ({
  ...architecture,
  layers: ggufShapes(architecture.layers),
});
