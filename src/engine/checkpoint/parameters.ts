/** Parameter arithmetic: exact counts from the architecture alone. Tied weights count once. */
import { type Architecture, withLayers } from './architecture';
import type { LayerWeightKey } from './weight-key';
import { allWeights, blockWeights, listOf, moduleWeights, type Weight } from './weight-names';

/** Elements of a weight. */
export function elements(shape: readonly number[]): number {
  return shape.reduce((product, dimension) => product * dimension, 1);
}

/** Parameters of block `layer` (0-based). */
export function parametersOfLayer(architecture: Architecture, layer: number): number {
  return sum(listOf(blockWeights(architecture, layer)));
}

/** Parameters of the modules of block `layer`, each with its norms. */
export function moduleParameters(architecture: Architecture, layer: number): { attention: number; ffn: number } {
  const { mixer, ffn } = moduleWeights(architecture, layer);
  return { attention: sum(listOf(mixer)), ffn: sum(listOf(ffn)) };
}

/** The module that a weight belongs to. */
export const moduleOf = (architecture: Architecture, { layer, name }: LayerWeightKey): 'attention' | 'ffn' =>
  name in moduleWeights(architecture, layer).ffn ? 'ffn' : 'attention';

/** Parameters of every block, in order. */
export function layerParameters(architecture: Architecture): number[] {
  return architecture.layers.map((_, layer) => parametersOfLayer(architecture, layer));
}

/** Mean parameters of a block; exact if all blocks are equal. Progress and cuts ask thousands of times, so it is kept. */
export function meanLayerParameters(architecture: Architecture): number {
  let mean = means.get(architecture);
  if (mean === undefined) {
    mean = total(layerParameters(architecture)) / architecture.layers.length;
    means.set(architecture, mean);
  }
  return mean;
}

const means = new WeakMap<Architecture, number>();

/** Parameters of the whole model. */
export function parametersOf(architecture: Architecture): number {
  return sum(allWeights(withLayers(architecture, []))) + total(layerParameters(architecture));
}

/** Of the whole model and of a mean block: what a number of blocks for a size is reckoned from. */
export const modelSize = (architecture: Architecture): { readonly total: number; readonly block: number } => ({
  total: parametersOf(architecture),
  block: meanLayerParameters(architecture),
});

/** Parameters that are read for one token. From an embedding that is not also the head, that is one row. */
export function parametersReadOf(architecture: Architecture): number {
  const { tied, vocabulary, hidden } = architecture;
  return parametersOf(architecture) - (tied ? 0 : vocabulary * hidden);
}

function sum(weights: Iterable<Weight>): number {
  let parameters = 0;
  for (const { shape } of weights) parameters += elements(shape);
  return parameters;
}

const total = (counts: readonly number[]): number => counts.reduce((a, b) => a + b, 0);
