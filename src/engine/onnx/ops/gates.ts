/** What gates of recurrent mixers are made of: sigmoid, softplus, exp, bounds. */
import type { Graph, Value } from '../graph';
import { mul, sub } from './elementwise';

/** σ(x) = 1 / (1 + e^−x) */
export function sigmoid(g: Graph, x: Value): Value {
  const output = g.op('Sigmoid', [x], x);
  return g.record(output, [x], (d) => [() => mul(g, d, mul(g, output, sub(g, g.scalar(1), output)))]);
}

/** x σ(x), of one input. `swiGlu` is the same times another. */
export function silu(g: Graph, x: Value): Value {
  const open = g.op('Sigmoid', [x], x);
  const output = g.op('Mul', [x, open], x);
  return g.record(output, [x], (d) => [
    () => {
      // SiLU' = σ + SiLU (1 − σ)
      const rest = g.op('Mul', [output, g.op('Sub', [g.scalar(1), open], x)], x);
      return g.op('Mul', [d, g.op('Add', [open, rest], x)], x);
    },
  ]);
}

/**
 * ln(1 + eˣ), for steps of time. As max(x, 0) + 2 artanh(e / (2 + e)) with e = e^−|x|: onnxruntime's Softplus adds 1 to small
 * exponentials before the logarithm, which leaves three digits of a step of 1e-4.
 */
export function softplus(g: Graph, x: Value): Value {
  const op = (type: string, ...inputs: Value[]): Value => g.op(type, inputs, x);
  const small = op('Exp', op('Neg', op('Abs', x)));
  const rest = op('Mul', op('Atanh', op('Div', small, op('Add', small, g.scalar(2)))), g.scalar(2));
  const output = op('Add', op('Relu', x), rest);
  return g.record(output, [x], (d) => [() => mul(g, d, g.op('Sigmoid', [x], x))]);
}

/** eˣ */
export function exp(g: Graph, x: Value): Value {
  const output = g.op('Exp', [x], x);
  return g.record(output, [x], (d) => [() => mul(g, d, output)]);
}

/** x, not below `least` and not above `most`, each if it is finite. Where a bound holds, the gradient is 0. */
export function clamp(g: Graph, x: Value, least: number, most: number): Value {
  const bounds = [least, most].map((bound) => (Number.isFinite(bound) ? g.scalar(bound) : undefined));
  if (bounds.every((bound) => bound === undefined)) return x;
  const output = g.op('Clip', [x, ...bounds], x);
  return g.record(output, [x], (d) => [
    () => {
      const inside = g.op('Equal', [x, output], { type: 'bool', shape: x.shape });
      return g.op('Where', [inside, d, g.scalar(0)], d);
    },
  ]);
}

/** Running sums along an axis. */
export function cumulate(g: Graph, x: Value, axis: number, reverse = false): Value {
  const at = g.op('Squeeze', [g.ints(axis)], { type: 'int64', shape: [] });
  const output = g.op('CumSum', [x, at], x, { reverse: Number(reverse) });
  return g.record(output, [x], (d) => [() => cumulate(g, d, axis, !reverse)]);
}
