/**
 * A source that computes Linears with 8-bit integers: weights rounded for each output, activations for each token. It is
 * for screening and for frozen weights in training; what it rounds is never stored.
 */
import type { WeightKey } from '../checkpoint/weight-key';
import type { Graph, Value } from '../onnx/graph';
import { integerArithmetic } from '../onnx/integer-trial';
import { frozenProducts, integerProduct, quantizeTokens, type WeightLevels } from '../onnx/ops/quantized';
import { spread } from '../onnx/ops/spread';
import { Over } from './over';
import { MIXED, RowRounder } from './row-integers';
import { type AppliedLinear, type LowRankSum, type WeightSource } from './source';

/**
 * The source in 8-bit integers, with the weights that this processor computes right; with a gradient, for training.
 * @param source closed with the result
 * @returns undefined where the processor has no such products
 */
export async function inRowInt8(source: WeightSource): Promise<RowInt8 | undefined> {
  const { levels } = await integerArithmetic();
  return levels && new RowInt8(source, levels);
}

/**
 * The same for a screen, with outliers spread: more exact, and a little slower; without a gradient.
 * @param threads for rounding; onnxruntime's own choice when undefined
 */
export async function inSpreadRowInt8(source: WeightSource, threads?: number): Promise<RowInt8 | undefined> {
  const { levels } = await integerArithmetic();
  return levels && new SpreadRowInt8(source, new RowRounder(levels, threads));
}

export class RowInt8 extends Over {
  readonly precision = 'int8';

  /**
   * @param source the exact model; closing this source closes it
   * @param levels largest magnitude of a rounded weight
   */
  constructor(
    source: WeightSource,
    private readonly levels: WeightLevels,
  ) {
    super(source);
  }

  override get identity(): string {
    return `${this.source.identity} int8 per row`;
  }

  apply(g: Graph, x: Value, linears: readonly AppliedLinear[]): Value[] {
    const bound = linears.map(({ key, rows, bias }) => ({ weight: this.source.bind(g, key, rows), bias }));
    return frozenProducts(g, x, bound, this.levels);
  }

  /** The product of low rank stays float32. */
  lowRank(key: WeightKey): LowRankSum | undefined {
    const sum = this.source.lowRank?.(key);
    return sum && { base: this.over(sum.base), product: sum.product };
  }

  /** Another source in the same integers. */
  protected over(source: WeightSource): WeightSource {
    return new RowInt8(source, this.levels);
  }
}

/** The same with outliers spread, rounded when a session opens. Products have no gradient. */
export class SpreadRowInt8 extends RowInt8 {
  /** @param rounder closed with the source */
  constructor(
    source: WeightSource,
    private readonly rounder: RowRounder,
  ) {
    super(source, rounder.levels);
  }

  override apply(g: Graph, x: Value, linears: readonly AppliedLinear[]): Value[] {
    const rounded = quantizeTokens(g, spread(g, x, MIXED));
    return linears.map(({ key, rows, bias }) => {
      const [all, width] = this.source.shape(key);
      const out = rows?.count ?? all;
      let found: Float32Array = new Float32Array(); // of the session that opens: its integers are asked for first
      const values = g.later('int8', [width, out], async ({ buffer, byteOffset, length }) => {
        found = await this.rounder.round(this.source, key, new Int8Array(buffer, byteOffset, length), rows);
      });
      const scales = g.later('float32', [out], (into) => {
        into.set(new Uint8Array(found.buffer, found.byteOffset, found.byteLength));
        return Promise.resolve();
      });
      return integerProduct(g, rounded, { values, scales }, bias);
    });
  }

  protected override over(source: WeightSource): WeightSource {
    return new SpreadRowInt8(source, this.rounder);
  }

  async release(): Promise<void> {
    await this.rounder.close();
  }

  override async close(): Promise<void> {
    await this.release();
    await this.source.close();
  }
}
