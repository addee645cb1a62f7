/**
 * A source that computes Linears with 8-bit integers: weights rounded for each output, activations for each token. It is
 * for screening and for frozen weights in training; what it rounds is never stored.
 */
import type { WeightKey } from '../checkpoint/weight-key';
import type { Graph, Value } from '../onnx/graph';
import { integerArithmetic } from '../onnx/integer-trial';
import { frozenProducts, type WeightLevels } from '../onnx/ops/quantised';
import { Over } from './over';
import { type AppliedLinear, type LowRankSum, type WeightSource } from './source';

/**
 * The source in 8-bit integers, with the weights that this processor computes right.
 * @param source closed with the result
 * @param isTurned whether outliers are spread, for a screen: more exact, and a little slower
 * @returns undefined where the processor has no such products
 */
export async function inRowInt8(source: WeightSource, isTurned = false): Promise<RowInt8 | undefined> {
  const { levels } = await integerArithmetic();
  return levels && new RowInt8(source, levels, isTurned);
}

export class RowInt8 extends Over {
  readonly precision = 'int8';

  /**
   * @param source the exact model; closing this source closes it
   * @param levels largest magnitude of a rounded weight
   * @param isTurned whether outliers are spread
   */
  constructor(
    source: WeightSource,
    private readonly levels: WeightLevels,
    private readonly isTurned = false,
  ) {
    super(source);
  }

  override get identity(): string {
    return `${this.source.identity} int8 per row`;
  }

  apply(g: Graph, x: Value, linears: readonly AppliedLinear[]): Value[] {
    const bound = linears.map(({ key, rows, bias }) => ({ weight: this.source.bind(g, key, rows), bias }));
    return frozenProducts(g, x, bound, this.levels, this.isTurned);
  }

  /** The product of low rank stays float32. */
  lowRank(key: WeightKey): LowRankSum | undefined {
    const sum = this.source.lowRank?.(key);
    return sum && { base: new RowInt8(sum.base, this.levels, this.isTurned), product: sum.product };
  }
}
