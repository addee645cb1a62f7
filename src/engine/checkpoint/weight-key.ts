/** Coppice's own names for the weights of a model, independent of the names in files. */
import type { Architecture } from './architecture';
import type { FeedForwardWeight, MixerWeight } from './kinds';
import { blockWeights, moduleWeights, outerWeights, ownHead, type Weight } from './weight-names';

/** The norms of the stream: before a module, or on what it adds. */
export type StreamNorm = 'inputNorm' | 'attentionOutNorm' | 'postNorm' | 'ffnOutNorm';

/** A weight within its layer. Some models lack some of them. */
export type BlockWeightName = StreamNorm | MixerWeight | FeedForwardWeight;

/** The weights around the layers. The head of a tied model is its embedding. */
export type OuterWeightName = 'embed' | 'finalNorm' | 'head';

/** A weight of a layer, 0-based. */
export interface LayerWeightKey {
  readonly layer: number;
  readonly name: BlockWeightName;
}

/**
 * Whether scores by weights count it. Biases, sinks, and the numbers of a head that set the pace of a recurrence are neither matrices nor
 * norms.
 */
export const isCounted = (name: BlockWeightName): boolean =>
  !/Bias$|^sinks$|^(?:ssm|delta)(?:Time|Log|Skip)$/.test(name);

/** One weight of a model. */
export type WeightKey = LayerWeightKey | OuterWeightName;

/** "3.qBias" or "embed": equal for equal keys. */
export function keyText(key: WeightKey): string {
  return typeof key === 'string' ? key : `${key.layer}.${key.name}`;
}

/** Name and shape of a weight; undefined if the model does not have it (a bias). */
export function weightOf(architecture: Architecture, key: WeightKey): Weight | undefined {
  if (typeof key === 'string') return outerWeights(architecture)[key];
  const { mixer, ffn } = moduleWeights(architecture, key.layer);
  return mixer[key.name] ?? ffn[key.name];
}

/** The keys of one layer's weights, in the order of lists and counts. */
export function layerKeys(architecture: Architecture, layer: number): LayerWeightKey[] {
  const names = Object.keys(blockWeights(architecture, layer)) as BlockWeightName[];
  return names.map((name) => ({ layer, name }));
}

/** Every weight of the model once: embedding, layers in order, final norm, and the head unless it is the embedding. */
export function* weightKeys(architecture: Architecture): Generator<WeightKey> {
  yield 'embed';
  for (let layer = 0; layer < architecture.layers.length; layer++) yield* layerKeys(architecture, layer);
  yield 'finalNorm';
  if (!architecture.tied) yield 'head';
}

/** The canonical key of a weight: the head of a tied model is its embedding. */
export function canonicalKey(architecture: Architecture, key: WeightKey): WeightKey {
  return key === 'head' && architecture.tied ? 'embed' : key;
}

/**
 * The keys of tensors by their names in the file. A tied model may store its embedding a second time, as a head: that
 * tensor has the key "head", an alias of the embedding.
 */
export function keysByName(architecture: Architecture): Map<string, WeightKey> {
  const keys = new Map<string, WeightKey>([[ownHead(architecture).name, 'head']]);
  for (const key of weightKeys(architecture)) keys.set(weightOf(architecture, key)!.name, key);
  return keys;
}
