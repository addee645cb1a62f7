/**
 * A source whose Linears are computed in bfloat16, on Linux for arm64: inputs and weights are rounded to the nearest, ties to even,
 * and the products are summed in float32. bfloat16 has the range of float32, so no number leaves it.
 *
 * Everything else is float32, the thin products of adapters too: a graph with such Linears writes its other products so that
 * onnxruntime leaves them alone. Products have no gradient.
 */
import type { WeightKey } from '../checkpoint/weight-key';
import type { Graph, Value } from '../onnx/graph';
import { bfloat16Linear } from '../onnx/ops/linear';
import { Over } from './over';
import type { AppliedLinear, LowRankSum, WeightSource } from './source';

export class Bfloat16 extends Over {
  readonly precision = 'bfloat16';
  /** One for each source below, so that Linears of one source still share an input. */
  private readonly bases = new Map<WeightSource, Bfloat16>();

  apply(g: Graph, x: Value, linears: readonly AppliedLinear[]): Value[] {
    return linears.map(({ key, rows, bias }) => bfloat16Linear(g, x, this.source.bind(g, key, rows), bias));
  }

  /** The product of low rank stays float32. */
  lowRank(key: WeightKey): LowRankSum | undefined {
    const sum = this.source.lowRank?.(key);
    if (!sum) return undefined;
    let base = this.bases.get(sum.base);
    if (!base) this.bases.set(sum.base, (base = new Bfloat16(sum.base)));
    return { base, product: sum.product };
  }
}
