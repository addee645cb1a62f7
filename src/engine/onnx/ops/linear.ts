/** Matrix products. */
import type { Graph, Value } from '../graph';
import { add } from './elementwise';
import { reduceTo } from './reduce';
import { transpose } from './shapes';

/**
 * x Wᵀ + c, with the weight as a checkpoint stores it.
 * x: (tokens, in), weight: (out, in), c: a bias (out) or a matrix (tokens, out) → (tokens, out)
 */
export function linear(g: Graph, x: Value, weight: Value, c?: Value): Value {
  const inputs = c ? [x, weight, c] : [x, weight];
  const output = g.op('Gemm', inputs, { type: x.type, shape: [x.shape[0], weight.shape[0]] }, { transB: 1 });
  return g.record(output, inputs, (d) => [
    () => g.op('Gemm', [d, weight], x), // dx = dy W
    () => g.op('Gemm', [d, x], { type: x.type, shape: weight.shape }, { transA: 1 }), // dW = dyᵀ x
    () => reduceTo(g, d, c!.shape),
  ]);
}

/**
 * x Wᵀ + bias with x and W rounded to bfloat16 and the sums in float32, where the machine can. onnxruntime has such products for a
 * weight of (in, out), so a constant one is transposed when a session opens. No gradient.
 * x: (tokens, in), weight: (out, in), bias: (out) → (tokens, out), all float32
 */
export function bfloat16Linear(g: Graph, x: Value, weight: Value, bias?: Value): Value {
  const y = g.bfloat16Product(x, transpose(g, weight, [1, 0]));
  return bias ? add(g, y, bias) : y;
}

/**
 * c − A B, each factor transposed if asked for. No gradient: only closed-form healing uses it.
 * a: (n, k), b: (k, m) or their transposes → (n, m)
 */
export function lessProduct(
  g: Graph,
  c: Value,
  a: Value,
  b: Value,
  { transA = false, transB = false }: { readonly transA?: boolean; readonly transB?: boolean } = {},
): Value {
  return g.op('Gemm', [a, b, c], c, { alpha: { float: -1 }, transA: Number(transA), transB: Number(transB) });
}

/** A B. a: (n, k), b: (k, m) → (n, m). No gradient: only closed-form healing uses it. */
export function product(g: Graph, a: Value, b: Value): Value {
  return g.op('Gemm', [a, b], { type: a.type, shape: [a.shape[0], b.shape[1]] });
}

/** Batched product of the last two axes. a: (…, n, k), b: (…, k, m) → (…, n, m); the leading axes are equal. */
export function matmul(g: Graph, a: Value, b: Value): Value {
  const rank = a.shape.length;
  const shape = [...a.shape.slice(0, -1), b.shape[rank - 1]];
  const output = g.op('MatMul', [a, b], { type: a.type, shape });
  const swapped = a.shape.map((_, i) => (i < rank - 2 ? i : 2 * rank - 3 - i));
  return g.record(output, [a, b], (d) => [
    () => matmul(g, d, transpose(g, b, swapped)), // da = dy bᵀ
    () => matmul(g, transpose(g, a, swapped), d), // db = aᵀ dy
  ]);
}
