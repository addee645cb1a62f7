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

/** σ(x) = 1 / (1 + e^−x). */
export function sigmoid(g: Graph, x: Value): Value {
  const output = g.op('Sigmoid', [x], x);
  // σ' = σ − σ²
  return g.record(output, [x], (d) => [() => mul(g, d, sub(g, output, mul(g, output, output)))]);
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

/** |x|. No gradient: only scores use it. */
export function abs(g: Graph, x: Value): Value {
  return g.op('Abs', [x], x);
}
