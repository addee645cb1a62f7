/** The causal convolution of recurrent mixers: each channel by itself, over a few tokens. */
import type { Graph, Value } from '../graph';
import { add, mul } from './elementwise';
import { extentOf, padTokens, sliceTokens } from './extents';
import { append, reshape, split } from './shapes';

/** Inputs of earlier tokens. (rows, width − 1, channels) */
export interface ConvolutionPast {
  readonly inputs: Value;
  /** The extent of these with the new tokens. */
  readonly total: string;
}

/**
 * y_t = bias + Σ_j w_j x_{t−K+1+j}: each token sees itself and the K − 1 before it; before the start there are zeros.
 *
 * It is K shifted products: they take half the time of onnxruntime's Conv and CausalConvWithState, which want the tokens on the
 * last axis, or walk over memory a row at a time; and they have gradients.
 * @param x (rows, length, channels)
 * @param weight (channels, 1, K), as checkpoints have it
 * @param bias (channels)
 * @returns (rows, length, channels)
 */
export function causalConvolution(g: Graph, x: Value, weight: Value, bias?: Value, past?: ConvolutionPast): Value {
  const [channels, , width] = weight.shape.map(Number);
  const padded = past
    ? append(g, [past.inputs, x], 1, past.total)
    : width === 1
      ? x
      : padTokens(g, x, { before: width - 1 }, 'padded');
  const length = extentOf(g, x, 1);
  const taps = split(
    g,
    weight,
    2,
    Array.from({ length: width }, () => 1),
  );
  let sum = bias;
  for (const [j, tap] of taps.entries()) {
    const shifted = sliceTokens(g, padded, g.ints(j), length, x.shape[1]);
    const product = mul(g, shifted, reshape(g, tap, [channels]));
    sum = sum ? add(g, product, sum) : product;
  }
  return sum!;
}

/**
 * The inputs that the next tokens see, after the first `counts` tokens of each row of `x`: the last K − 1. (rows, K − 1, channels).
 * No gradient: only decoding uses it.
 * @param x (rows, length, channels)
 * @param counts (rows, 1) int64
 */
export function lastInputs(
  g: Graph,
  x: Value,
  { width, past, counts }: { readonly width: number; readonly past: ConvolutionPast; readonly counts: Value },
): Value {
  const all = append(g, [past.inputs, x], 1, past.total);
  // Of the past and the new tokens, those at counts … counts + K − 2.
  const offsets = g.indices(Array.from({ length: width - 1 }, (_, j) => j));
  const places = g.op('Add', [counts, offsets], { type: 'int64', shape: [x.shape[0], width - 1] });
  const index = g.op('Unsqueeze', [places, g.ints(2)], { type: 'int64', shape: [x.shape[0], width - 1, 1] });
  return g.op('GatherND', [all, index], { type: x.type, shape: x.shape.with(1, width - 1) }, { batch_dims: 1 });
}
