/** Other mixers than attention in a GGUF file. What llama.cpp computes with them is a matter of its architecture. */
import type { Architecture, LayerShape } from '../architecture';
import { attentionIn, otherKindIn } from '../kinds/parts';
import { cannotWrite, SAFETENSORS } from './cannot';
import { DIALECTS } from './dialects';
import type { Dialect } from './dialects/dialect';
import type { GgufArchitecture } from './shapes';

/** @throws UserError for blocks that no dialect has */
export function requireKinds({ layers }: Architecture): void {
  if (layers.some((layer) => attentionIn(layer)?.sinks))
    throw cannotWrite(
      'its attention has sinks, and Coppice writes no architecture of llama.cpp with them',
      SAFETENSORS,
    );
  const kinds = new Set<string>(DIALECTS.flatMap(({ mixer }) => (mixer ? [mixer.kind] : [])));
  // The gate on attention is that of the dialect with delta nets.
  const gates = layers.some(({ mixer }) => mixer.kind === 'deltaNet') && kinds.has('deltaNet');
  const other = otherKindIn(layers.map((layer) => known(layer, kinds, gates)));
  if (other !== undefined) throw cannotWrite(`blocks of it have ${other}`, SAFETENSORS);
}

/** The block with a plain part in place of each that some dialect has. */
function known(layer: LayerShape, kinds: ReadonlySet<string>, gates: boolean): LayerShape {
  const { mixer, ffn } = layer;
  const fused = mixer.kind === 'attention' ? mixer.fused : false;
  return {
    mixer: kinds.has(mixer.kind) || (gates && mixer.kind === 'attention' && mixer.gated) ? PLAIN : mixer,
    ffn: ffn.kind === 'experts' ? { kind: 'dense', width: ffn.width, biases: [], fused } : ffn,
  };
}

const PLAIN: LayerShape['mixer'] = {
  kind: 'attention',
  ...{ heads: 1, kvHeads: 1, headDim: 2, window: null, rope: null, biases: [], qkNorm: null, fused: false },
};

/** @throws UserError for a mixer that llama.cpp computes otherwise, and for blocks with different ones */
export function requireMixers({ name, mixer }: Dialect, { layers }: GgufArchitecture): void {
  for (const { other } of layers) {
    if (!other) continue;
    if (other.kind !== mixer?.kind) throw cannotWrite('it has several kinds of mixers beside attention', SAFETENSORS);
    const why = mixer.refused?.(other);
    if (why !== undefined) throw cannotWrite(why, SAFETENSORS);
  }
  const [first, ...more] = layers.flatMap(({ other }) => (other ? [JSON.stringify(other)] : []));
  if (more.some((each) => each !== first))
    throw cannotWrite(
      `its blocks differ in more than their kind, and llama.cpp’s architecture ${name} has one`,
      SAFETENSORS,
    );
}
