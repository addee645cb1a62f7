/** What the weights of a model are called inside Coppice, whatever a file calls them. */

/** A layer's weights, in the order in which they are listed and counted. Linear weights are (out, in). */
export const BLOCK_WEIGHT_NAMES = [
  'inputNorm',
  'q',
  'k',
  'v',
  'o',
  'qBias',
  'kBias',
  'vBias',
  'oBias',
  'qNorm',
  'kNorm',
  'postNorm',
  'gate',
  'up',
  'down',
  'gateBias',
  'upBias',
  'downBias',
] as const;

/** A weight within its layer. Not every model has all of them. */
export type BlockWeightName = (typeof BLOCK_WEIGHT_NAMES)[number];

/** The weights around the layers. The head of a tied model is its embedding. */
export type OuterWeightName = 'embed' | 'finalNorm' | 'head';

/** One weight of a model; `layer` is 0-based. */
export type WeightKey = { readonly layer: number; readonly name: BlockWeightName } | OuterWeightName;

/** "3.qBias" or "embed": equal for equal keys. */
export function keyText(key: WeightKey): string {
  return typeof key === 'string' ? key : `${key.layer}.${key.name}`;
}
