/** Elementwise ops, with numpy's broadcasting where stated. */
import type { Graph, Value } from '../graph';
import { reduceTo } from './reduce';
import { broadcastShape, cast } from './shapes';

/** a + b, broadcast. */
export function add(g: Graph, a: Value, b: Value): Value {
  const output = g.op('Add', [a, b], { type: a.type, shape: broadcastShape(a.shape, b.shape) });
  return g.record(output, [a, b], (d) => [() => reduceTo(g, d, a.shape), () => reduceTo(g, d, b.shape)]);
}

/** a − b, broadcast. */
export function sub(g: Graph, a: Value, b: Value): Value {
  const output = g.op('Sub', [a, b], { type: a.type, shape: broadcastShape(a.shape, b.shape) });
  return g.record(output, [a, b], (d) => [() => reduceTo(g, d, a.shape), () => reduceTo(g, neg(g, d), b.shape)]);
}

/** a ⊙ b, broadcast. */
export function mul(g: Graph, a: Value, b: Value): Value {
  const output = g.op('Mul', [a, b], { type: a.type, shape: broadcastShape(a.shape, b.shape) });
  return g.record(output, [a, b], (d) => [
    () => reduceTo(g, mul(g, d, b), a.shape),
    () => reduceTo(g, mul(g, d, a), b.shape),
  ]);
}

/** factor · x. */
export function scale(g: Graph, x: Value, factor: number): Value {
  return factor === 1 ? x : mul(g, x, cast(g, g.scalar(factor), x.type));
}

/** −x. */
export function neg(g: Graph, x: Value): Value {
  const output = g.op('Neg', [x], x);
  return g.record(output, [x], (d) => [() => neg(g, d)]);
}

/**
 * SiLU(gate) ⊙ up with SiLU(x) = x σ(x): the activation of LLaMA's FFN (SwiGLU, Shazeer 2020). One op, because its gradient
 * takes fewer passes over memory than those of its parts. gate and up have one shape.
 */
export function swiGlu(g: Graph, gate: Value, up: Value): Value {
  const open = g.op('Sigmoid', [gate], gate);
  const silu = g.op('Mul', [gate, open], gate);
  const output = g.op('Mul', [silu, up], gate);
  return g.record(output, [gate, up], (d) => [
    () => {
      // SiLU' = σ + SiLU (1 − σ), so dgate = dy ⊙ (y + σ ⊙ (up − y))
      const rest = g.op('Mul', [open, g.op('Sub', [up, output], gate)], gate);
      return g.op('Mul', [d, g.op('Add', [output, rest], gate)], gate);
    },
    () => g.op('Mul', [d, silu], gate),
  ]);
}

/** x, but at most `bound` and at least −bound. */
export function clamp(g: Graph, x: Value, bound: number): Value {
  const output = g.op('Clip', [x, cast(g, g.scalar(-bound), x.type), cast(g, g.scalar(bound), x.type)], x);
  return g.record(output, [x], (d) => [
    () => {
      const inside = g.op('LessOrEqual', [g.op('Abs', [x], x), g.scalar(bound)], { type: 'bool', shape: x.shape });
      return mul(g, d, cast(g, inside, x.type));
    },
  ]);
}

/** x, but at most `bound`. */
export function atMost(g: Graph, x: Value, bound: number): Value {
  const output = g.op('Min', [x, g.scalar(bound)], x);
  return g.record(output, [x], (d) => [
    () => mul(g, d, cast(g, g.op('LessOrEqual', [x, g.scalar(bound)], { type: 'bool', shape: x.shape }), x.type)),
  ]);
}

/** σ(factor · x) ⊙ x: SiLU with a steepness. */
export function sharpSilu(g: Graph, x: Value, factor: number): Value {
  const open = g.op('Sigmoid', [g.op('Mul', [x, g.scalar(factor)], x)], x);
  const output = g.op('Mul', [x, open], x);
  return g.record(output, [x], (d) => [
    () => {
      // σ + factor · y (1 − σ)
      const rest = mul(g, scale(g, output, factor), sub(g, g.scalar(1), open));
      return mul(g, d, add(g, open, rest));
    },
  ]);
}

/** c · tanh(x / c): a soft bound of x at ±c. */
export function softCap(g: Graph, x: Value, cap: number): Value {
  const bounded = g.op('Tanh', [scale(g, x, 1 / cap)], x);
  const output = scale(g, bounded, cap);
  // tanh' = 1 − tanh²
  return g.record(output, [x], (d) => [() => mul(g, d, sub(g, g.scalar(1), mul(g, bounded, bounded)))]);
}

/** Of GELU by tanh: ½ x (1 + tanh(√(2/π) (x + 0.044715 x³))). */
const GELU_SCALE = Math.sqrt(2 / Math.PI);
const GELU_CUBE = 0.044715;

/**
 * GELU(gate) ⊙ up with GELU by its tanh approximation (Hendrycks & Gimpel 2016): the activation of Gemma's FFN. One op, like
 * `swiGlu`. gate and up have one shape.
 */
export function geGlu(g: Graph, gate: Value, up: Value): Value {
  const op = (type: string, ...inputs: Value[]): Value => g.op(type, inputs, gate);
  const square = op('Mul', gate, gate);
  const inner = op(
    'Mul',
    op('Mul', gate, g.scalar(GELU_SCALE)),
    op('Add', op('Mul', square, g.scalar(GELU_CUBE)), g.scalar(1)),
  );
  const bounded = op('Tanh', inner);
  const open = op('Add', op('Mul', bounded, g.scalar(0.5)), g.scalar(0.5)); // ½ (1 + tanh)
  const gelu = op('Mul', gate, open);
  const output = op('Mul', gelu, up);
  return g.record(output, [gate, up], (d) => [
    () => {
      // GELU' = open + ½ gate (1 − tanh²) inner' with inner' = √(2/π) (1 + 3 · 0.044715 gate²), and 1 − tanh² = 4 open (1 − open)
      const slope = op('Add', op('Mul', square, g.scalar(6 * GELU_SCALE * GELU_CUBE)), g.scalar(2 * GELU_SCALE));
      // (1 − open) first: it is 0 where the slope is large.
      const rest = op('Mul', op('Mul', gelu, op('Sub', g.scalar(1), open)), slope);
      return op('Mul', d, op('Mul', up, op('Add', open, rest)));
    },
    () => op('Mul', d, gelu),
  ]);
}

/** |x|. No gradient: only scores use it. */
export function abs(g: Graph, x: Value): Value {
  return g.op('Abs', [x], x);
}
