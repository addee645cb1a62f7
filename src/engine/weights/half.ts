/**
 * A source whose Linears are computed in half precision, on a GPU. The input is rounded to float16, multiplied by the
 * weight in float16, and the result is float32 again. What the product is summed in is the device's affair.
 *
 * Weights that a file has in float16 are used as they are; others are rounded to the nearest, ties to even. `bind` and
 * `read` still give the numbers of the file: norms, embeddings and biases stay float32.
 */
import { canonicalKey, keyText, type WeightKey, weightOf } from '../checkpoint/weight-key';
import { throwIfCancelled, UserError } from '../errors';
import { OVERFLOW } from '../formats/narrow';
import type { Rows } from '../formats/tensor';
import type { Graph, Value } from '../onnx/graph';
import { add } from '../onnx/ops/elementwise';
import { linear } from '../onnx/ops/linear';
import { cast } from '../onnx/ops/shapes';
import { set } from '../option-token';
import { Over } from './over';
import {
  type AppliedLinear,
  type FedLinear,
  type FedProducts,
  type LowRankSum,
  rowWidth,
  type WeightSource,
} from './source';

/** Numbers to look at in a piece. */
const PIECE = 2 ** 22;

export class Half extends Over {
  readonly precision = 'float16';
  /** One for each source below, so that Linears of one source still share an input. */
  private readonly bases = new Map<WeightSource, Half>();
  /** Weights that graphs have, and that have not been looked at. */
  private readonly unchecked = new Map<string, WeightKey>();
  private readonly checked = new Set<string>();

  /** The thin products of an adapter stay float32. */
  lowRank(key: WeightKey): LowRankSum | undefined {
    const sum = this.source.lowRank?.(key);
    return sum && { base: this.over(sum.base), product: sum.product };
  }

  apply(g: Graph, x: Value, linears: readonly AppliedLinear[]): Value[] {
    return multiply(
      g,
      x,
      linears.map(({ key, rows, bias }) => ({ weight: this.bindHalf(g, key, rows), bias })),
    );
  }

  readonly fed: FedProducts = {
    type: 'float16',
    bind: (g, key) => this.bindHalf(g, key),
    apply: multiply,
  };

  /**
   * Looks at the weights that graphs have got since the last call.
   * @throws UserError for a weight that float16 cannot hold, with its name; CancelledError
   */
  async check(signal?: AbortSignal): Promise<void> {
    for (const base of this.bases.values()) await base.check(signal);
    for (const [text, key] of this.unchecked) {
      if (this.source.stored(key)?.dtype !== 'F16') await this.requireRange(key, signal);
      this.unchecked.delete(text);
      this.checked.add(text);
    }
  }

  private over(source: WeightSource): Half {
    let half = this.bases.get(source);
    if (!half) this.bases.set(source, (half = new Half(source)));
    return half;
  }

  private bindHalf(g: Graph, key: WeightKey, rows?: Rows): Value {
    const text = keyText(canonicalKey(this.architecture, key));
    if (!this.checked.has(text)) this.unchecked.set(text, key);
    return cast(g, this.source.bind(g, key, rows), 'float16');
  }

  private async requireRange(key: WeightKey, signal?: AbortSignal): Promise<void> {
    const shape = this.source.shape(key);
    const rows = Math.max(1, Math.floor(PIECE / rowWidth(shape)));
    for (let start = 0; start < shape[0]; start += rows) {
      throwIfCancelled(signal);
      const values = await this.source.read(key, { start, count: Math.min(rows, shape[0] - start) });
      let large = 0;
      for (const value of values) if (Math.abs(value) > Math.abs(large)) large = value;
      if (Math.abs(large) < OVERFLOW.F16) continue;
      throw new UserError(
        `${weightOf(this.architecture, key)!.name} does not fit into float16`,
        `it has the number ${large.toPrecision(6)}, and float16 ends at 65504`,
        `${set('precision', 'float32')}.`,
      );
    }
  }
}

/** Products in half precision of float32 with float16 weights. Biases are added in float32. */
function multiply(g: Graph, x: Value, linears: readonly FedLinear[]): Value[] {
  const half = cast(g, x, 'float16');
  return linears.map(({ weight, bias }) => {
    const y = cast(g, linear(g, half, weight), 'float32');
    return bias ? add(g, y, bias) : y;
  });
}
