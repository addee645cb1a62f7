/** The softmax, alone and in attention. */
import type { Graph, Value } from '../graph';
import { mul, neg, sub } from './elementwise';
import { reduceSum } from './reduce';
import { transpose } from './shapes';

/** Softmax over the last axis. */
export function softmax(g: Graph, x: Value): Value {
  const output = g.op('Softmax', [x], x, { axis: -1 });
  return g.record(output, [x], (d) => [
    () => {
      // dx = y ⊙ (dy − Σ dy ⊙ y)
      const weighted = mul(g, d, output);
      return sub(g, weighted, mul(g, output, reduceSum(g, weighted, [x.shape.length - 1], true)));
    },
  ]);
}

/**
 * Exponents of weights in attention are not smaller: masked scores would give numbers below the normal ones, with which
 * processors compute many times as slowly. e^−50 is 2e-22, far below what a float32 sum with 1 in it can hold.
 */
const LEAST = -50;

/**
 * softmax(z) v: attention's weights and what they weigh. scores: (…, n, m), values: (…, m, k) → (…, n, k)
 *
 * With e = exp(z − max z), it is (e v) / Σe: the division comes after the product, where there is less to divide. In the
 * gradient, Σ dp ⊙ p over a row of scores is Σ dy ⊙ y over a row of results (Dao et al. 2022). So the gradient passes twice
 * over arrays of the size of the scores, by far the largest, and not four times; and onnxruntime's Softmax takes longer on the
 * CPU than the operators here.
 */
export function softmaxProduct(g: Graph, scores: Value, values: Value): Value {
  const rank = scores.shape.length;
  const row = { type: scores.type, shape: scores.shape.with(rank - 1, 1) };
  const result = { type: scores.type, shape: scores.shape.with(rank - 1, values.shape[rank - 1]) };
  const swapped = scores.shape.map((_, i) => (i < rank - 2 ? i : 2 * rank - 3 - i));
  const max = g.op('ReduceMax', [scores, g.ints(-1)], row, { keepdims: 1 });
  const shifted = g.op('Clip', [g.op('Sub', [scores, max], scores), g.scalar(LEAST)], scores);
  const exponentials = g.op('Exp', [shifted], scores);
  const sum = reduceSum(g, exponentials, [rank - 1], true);
  const output = g.op('Div', [g.op('MatMul', [exponentials, values], result), sum], result);
  return g.record(output, [scores, values], (d) => {
    const share = g.op('Div', [d, sum], result); // dy / Σe
    return [
      () => {
        // dz = e ⊙ (dy vᵀ − Σ dy ⊙ y) / Σe
        const product = g.op('MatMul', [share, transpose(g, values, swapped)], scores);
        const projection = reduceSum(g, g.op('Mul', [share, output], result), [rank - 1], true);
        return g.op('Mul', [exponentials, g.op('Sub', [product, projection], scores)], scores);
      },
      () => g.op('MatMul', [transpose(g, exponentials, swapped), share], values), // dv = eᵀ dy / Σe
    ];
  });
}

/**
 * Softmax over the last axis and one score more in each row, whose share is dropped. Those of a head have one (gpt-oss).
 * scores: (rows, heads, n, m), sinks: (heads) → (rows, heads, n, m)
 */
export function sinkSoftmax(g: Graph, scores: Value, sinks: Value): Value {
  const [, heads] = scores.shape;
  const row = { type: scores.type, shape: scores.shape.with(3, 1) };
  const sink = g.op('Reshape', [sinks, g.ints(1, Number(heads), 1, 1)], { type: sinks.type, shape: [1, heads, 1, 1] });
  const max = g.op('Max', [g.op('ReduceMax', [scores, g.ints(-1)], row, { keepdims: 1 }), sink], row);
  const exponentials = g.op('Exp', [g.op('Sub', [scores, max], scores)], scores);
  const own = g.op('Exp', [g.op('Sub', [sink, max], row)], row);
  const sum = g.op('Add', [reduceSum(g, exponentials, [3], true), own], row);
  const output = g.op('Div', [exponentials, sum], scores);
  return g.record(output, [scores, sinks], (d) => {
    const weighted = mul(g, d, output);
    const projection = reduceSum(g, weighted, [3], true); // Σ dp ⊙ p
    return [
      () => sub(g, weighted, mul(g, output, projection)),
      // The sink's share times −Σ dp ⊙ p, because nothing is weighed by it.
      () => neg(g, reduceSum(g, mul(g, g.op('Div', [own, sum], row), projection), [0, 2, 3])),
    ];
  });
}
