/**
 * Applies a block's Linears in forward passes and decoding: with the stored weights, plus the product of an unmerged
 * LoRA adapter (Hu et al. 2021): y = W x + B A x, where B includes the factor α/r. W remains in its file. A and B are
 * small enough to be in the graph.
 *
 * Linears that read the same input share one product for their stacked A: because thin products are slow.
 */
import type { LinearName } from '../checkpoint/architecture';
import type { BlockWeightName } from '../checkpoint/weight-key';
import type { Graph, Value } from '../onnx/graph';
import { linear } from '../onnx/ops/linear';
import { split } from '../onnx/ops/shapes';
import { scaledB } from '../weights/patches';
import type { LowRank } from '../weights/source';
import type { Binding } from './binding';
import type { BlockStrategies } from './parts';

/** Applies every Linear with its stored weight. */
export function projectWith(
  g: Graph,
  weight: (name: BlockWeightName) => Value | undefined,
): BlockStrategies['project'] {
  return (x, linears) => linears.map((name) => linear(g, x, weight(name)!, weight(`${name}Bias`)));
}

/**
 * Applies every Linear of a layer with its stored weight and its added product.
 * @param weight of the layer, by name
 */
export function projectLayer(
  g: Graph,
  layer: number,
  weight: (name: BlockWeightName) => Value | undefined,
  { apply, added, fed, matrix }: Pick<Binding, 'apply' | 'added' | 'fed' | 'matrix'>,
): BlockStrategies['project'] {
  return (x, linears) => {
    const products = new Map<LinearName, LowRank>();
    for (const name of linears) {
      const product = added({ layer, name });
      if (product) products.set(name, product);
    }
    const inner = products.size > 0 ? shared(g, x, linears, [...products.values()], matrix) : []; // (tokens, rank) each
    const places = [...products.keys()];
    const bases = apply(
      x,
      linears.map((name) => ({ key: { layer, name }, bias: weight(`${name}Bias`) })),
    );
    return linears.map((name, i) => {
      const base = bases[i]; // (tokens, out)
      const given = fed?.({ layer, name });
      if (given) return linear(g, linear(g, x, given.a), given.b, base);
      const product = products.get(name);
      if (!product) return base;
      const { b, rank } = product;
      const scaled = matrix(`${name}.B`, scaledB(product), [b.length / rank, rank]);
      return linear(g, inner[places.indexOf(name)], scaled, base);
    });
  };
}

/** A x for every product, from one product. x: (tokens, in) → (tokens, rank) each */
function shared(
  g: Graph,
  x: Value,
  linears: readonly LinearName[],
  products: readonly LowRank[],
  matrix: Binding['matrix'],
): Value[] {
  const width = x.shape[1] as number;
  const ranks = products.map(({ rank }) => rank);
  const total = ranks.reduce((sum, rank) => sum + rank, 0);
  const stacked = new Float32Array(total * width);
  let row = 0;
  for (const { a, rank } of products) {
    stacked.set(a, row * width);
    row += rank;
  }
  return split(g, linear(g, x, matrix(`${linears.join('')}.A`, stacked, [total, width])), 1, ranks);
}
