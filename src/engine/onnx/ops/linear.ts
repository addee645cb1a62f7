/** Matrix products. */
import type { Graph, Value } from '../graph';
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
