/**
 * Products of integers: y = x Wᵀ with x rounded to 8 bits for each token and W to 8 or 7 bits for each output. The scales
 * are the largest absolute values of a row, so an outlier costs the precision of its own row only.
 *
 *     x ≈ s (X − 128),  W ≈ diag(t) V,  y = s tᵀ ⊙ (X − 128) Vᵀ
 *
 * The sums of integers are exact (int32); only the two roundings are not. A row with an infinity gives a row that is not
 * finite. NaN is not seen: onnxruntime's maximum passes over it. So whoever computes with integers computes the whole model in float32 too.
 */
import type { Graph, Value } from '../graph';
import { elementTypeCode } from '../model-file';
import { add, mul } from './elementwise';
import { transpose } from './shapes';

/** Largest magnitude of a quantized activation: symmetric around ZERO_POINT. */
const ACTIVATION_LEVELS = 127;
const ZERO_POINT = 128;
/** A row of zeros has at least this largest value, so that nothing is divided by zero. */
const SMALLEST_SCALE = 1e-30;

/** Largest magnitude of a quantized weight: of all 8 bits, or of 7 where products of 8 bits saturate. */
export type WeightLevels = 127 | 63;

/** Rows rounded to unsigned bytes around 128, with a scale each. */
export interface QuantizedRows {
  /** (tokens, in) uint8 */
  readonly values: Value;
  /** (tokens, 1) */
  readonly scales: Value;
}

/** A Linear's weight, rounded for each output. */
export interface QuantizedWeight {
  /** (in, out) int8 */
  readonly values: Value;
  /** (out) */
  readonly scales: Value;
}

/** Rounds each row to 8 bits. x: (tokens, in) */
export function quantizeTokens(g: Graph, x: Value): QuantizedRows {
  const scales = largest(g, x, 1 / ACTIVATION_LEVELS);
  const zeros = g.op(
    'Expand',
    [g.bytes('uint8', Uint8Array.of(ZERO_POINT), [1]), g.op('Shape', [scales], { type: 'int64', shape: [1] })],
    {
      type: 'uint8',
      shape: [x.shape[0]],
    },
  );
  const values = g.op('QuantizeLinear', [x, scales, zeros], { type: 'uint8', shape: x.shape }, { axis: 0 });
  return { values, scales: g.op('Unsqueeze', [scales, g.ints(1)], { type: 'float32', shape: [x.shape[0], 1] }) };
}

/**
 * Rounds each row of a weight that does not change, and turns it as the product wants it. onnxruntime does all of it once, when
 * it creates the session.
 * @param w (out, in)
 */
export function quantizeWeight(g: Graph, w: Value, levels: WeightLevels): QuantizedWeight {
  const scales = largest(g, w, 1 / levels);
  return { values: transpose(g, roundedBytes(g, w, scales, 0), [1, 0]), scales };
}

/**
 * The same with a scale for each column, for products with the weight and not with its transpose: (out, in) int8, and (in)
 * scales.
 */
function quantizeInputs(g: Graph, w: Value, levels: WeightLevels): QuantizedWeight {
  const scales = largest(g, w, 1 / levels, 0);
  return { values: roundedBytes(g, w, scales, 1), scales };
}

/** w / scales as bytes, with a scale for each index of the axis. */
function roundedBytes(g: Graph, w: Value, scales: Value, axis: 0 | 1): Value {
  const type = elementTypeCode('int8');
  return g.op('QuantizeLinear', [w, scales], { type: 'int8', shape: w.shape }, { axis, output_dtype: type });
}

/** A weight that does not change, (out, in) float32, and a bias, (out). */
export interface FrozenLinear {
  readonly weight: Value;
  readonly bias?: Value;
}

/**
 * x Wᵀ + bias of several Linears in integers, with x rounded once. The gradient is a product of integers too: dx = dy W, with dy
 * rounded for each token and W for each input. It is the gradient of the exact product, with roundings of its own; that of
 * the rounded one is 0 almost everywhere. The weights have none.
 * x: (tokens, in) → (tokens, out) each
 */
export function frozenProducts(g: Graph, x: Value, linears: readonly FrozenLinear[], levels: WeightLevels): Value[] {
  const rows = quantizeTokens(g, x);
  return linears.map(({ weight, bias }) => {
    const output = integerProduct(g, rows, quantizeWeight(g, weight, levels), bias);
    return g.record(output, [x], (d) => [
      () => integerProduct(g, quantizeTokens(g, d), quantizeInputs(g, weight, levels)),
    ]);
  });
}

/** x Wᵀ + bias. x: (tokens, in) → float32 (tokens, out) */
export function integerProduct(g: Graph, x: QuantizedRows, w: QuantizedWeight, bias?: Value): Value {
  const scaled = mul(g, unscaledProduct(g, x.values, w), x.scales);
  return bias ? add(g, scaled, bias) : scaled;
}

/** The same without the scales of the tokens. x: (tokens, in) uint8 around 128 */
export function unscaledProduct(g: Graph, x: Value, w: QuantizedWeight): Value {
  const inputs = [x, w.values, g.scalar(1), w.scales, g.bytes('uint8', Uint8Array.of(ZERO_POINT), [])];
  return g.contribOp('MatMulIntegerToFloat', inputs, { type: 'float32', shape: [x.shape[0], w.values.shape[1]] });
}

/** The largest absolute value of each row, or along another axis, times `factor`; never zero. (rows, n) → (rows) */
function largest(g: Graph, x: Value, factor: number, axis: 0 | 1 = 1): Value {
  const shape = { type: x.type, shape: [x.shape[1 - axis]] };
  const high = g.op('ReduceMax', [x, g.ints(axis)], shape, { keepdims: 0 });
  const low = g.op('ReduceMin', [x, g.ints(axis)], shape, { keepdims: 0 });
  const most = g.op('Max', [high, g.op('Neg', [low], low), g.scalar(SMALLEST_SCALE)], shape);
  return mul(g, most, g.scalar(factor));
}
