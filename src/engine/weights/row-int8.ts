/**
 * A source that computes Linears with 8-bit integers: weights rounded for each output, activations for each token. It is
 * for screening and for frozen weights in training; what it rounds is never stored.
 */
import type { Architecture } from '../checkpoint/architecture';
import type { WeightKey } from '../checkpoint/weight-key';
import type { Dtype } from '../formats/dtype';
import type { Rows, TensorInfo } from '../formats/tensor';
import type { Graph, Value } from '../onnx/graph';
import { integerArithmetic } from '../onnx/integer-trial';
import { frozenProducts, type WeightLevels } from '../onnx/ops/quantised';
import { type AppliedLinear, type LowRankSum, readWide, type WeightSource } from './source';

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

export class RowInt8 implements WeightSource {
  readonly precision = 'int8';

  /**
   * @param source the exact model; closing this source closes it
   * @param levels largest magnitude of a rounded weight
   * @param isTurned whether outliers are spread
   */
  constructor(
    private readonly source: WeightSource,
    private readonly levels: WeightLevels,
    private readonly isTurned = false,
  ) {}

  get architecture(): Architecture {
    return this.source.architecture;
  }

  get identity(): string {
    return `${this.source.identity} int8 per row`;
  }

  get bytesInGraph(): number {
    return this.source.bytesInGraph;
  }

  apply(g: Graph, x: Value, linears: readonly AppliedLinear[]): Value[] {
    const bound = linears.map(({ key, rows, bias }) => ({ weight: this.source.bind(g, key, rows), bias }));
    return frozenProducts(g, x, bound, this.levels, this.isTurned);
  }

  shape(key: WeightKey): readonly number[] {
    return this.source.shape(key);
  }

  bind(g: Graph, key: WeightKey, rows?: Rows | Value): Value {
    return this.source.bind(g, key, rows);
  }

  read(key: WeightKey, rows?: Rows): Promise<Float32Array> {
    return this.source.read(key, rows);
  }

  readWide(key: WeightKey, rows?: Rows): Promise<Float64Array> {
    return readWide(this.source, key, rows);
  }

  stored(key: WeightKey): TensorInfo | undefined {
    return this.source.stored(key);
  }

  storedType(key: WeightKey): Dtype | undefined {
    return this.source.storedType?.(key);
  }

  /** The product of low rank stays float32. */
  lowRank(key: WeightKey): LowRankSum | undefined {
    const sum = this.source.lowRank?.(key);
    return sum && { base: new RowInt8(sum.base, this.levels, this.isTurned), product: sum.product };
  }

  close(): Promise<void> {
    return this.source.close();
  }
}
