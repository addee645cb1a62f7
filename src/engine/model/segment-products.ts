/**
 * Products of low rank in sessions that several models share: an adapter's matrices are feeds, and a model without the
 * adapter feeds zeros.
 */
import { keyText, type WeightKey } from '../checkpoint/weight-key';
import type { Graph, Value } from '../onnx/graph';
import { float32, type Feeds, type Tensor } from '../onnx/session';
import { scaledB } from '../weights/patches';
import type { WeightSource } from '../weights/source';
import { type Binding, sourceBinding } from './binding';
import type { FedLinear, Segment } from './segments';

const namesOf = ({ step, name }: FedLinear): readonly [string, string] => [`${name}.A${step}`, `${name}.B${step}`];

/** Weights from the source. A segment's fed products are inputs of the graph. */
export function segmentBinding(g: Graph, source: WeightSource, { steps, fed }: Segment): Binding {
  const binding = sourceBinding(g, source);
  if (!fed) return binding;
  const products = new Map<string, { readonly a: Value; readonly b: Value }>();
  for (const linear of fed) {
    const key = { layer: steps[linear.step].block, name: linear.name };
    const [out, width] = source.shape(key);
    const [a, b] = namesOf(linear);
    const rank = `rank of ${a}`;
    products.set(keyText(key), { a: g.input(a, 'float32', [rank, width]), b: g.input(b, 'float32', [out, rank]) });
  }
  return { ...binding, added: () => undefined, fed: (key) => products.get(keyText(key)) };
}

/** A model's feeds for the products of its segments. */
export class FedProducts {
  private readonly tensors = new Map<string, readonly [Tensor, Tensor]>();

  constructor(private readonly source: WeightSource) {}

  of({ steps, fed = [] }: Segment): Feeds {
    const feeds: Record<string, Tensor> = {};
    for (const linear of fed) {
      const [a, b] = namesOf(linear);
      [feeds[a], feeds[b]] = this.matrices({ layer: steps[linear.step].block, name: linear.name });
    }
    return feeds;
  }

  /** (rank, in) and (out, rank) */
  private matrices(key: WeightKey): readonly [Tensor, Tensor] {
    const text = keyText(key);
    let matrices = this.tensors.get(text);
    if (!matrices) {
      const [out, width] = this.source.shape(key);
      const product = this.source.lowRank?.(key)?.product;
      const { rank, a, b } = product
        ? { rank: product.rank, a: product.a, b: scaledB(product) }
        : { rank: 1, a: new Float32Array(width), b: new Float32Array(out) };
      matrices = [float32(a, [rank, width]), float32(b, [out, rank])];
      this.tensors.set(text, matrices);
    }
    return matrices;
  }
}
