/** Norms with a gate, of what recurrent mixers read from their states. */
import type { Graph, Value } from '../graph';
import { mul, swiGlu } from './elementwise';
import { silu } from './gates';
import { rmsNorm } from './norm';
import { reshape } from './shapes';

export interface GatedNorm {
  readonly weight: Value;
  readonly epsilon: number;
  /** Parts of the last axis that are normalised each by itself. */
  readonly groups: number;
  /** Whether the gate comes after the norm: n(x) ⊙ SiLU(gate), else n(x ⊙ SiLU(gate)). */
  readonly gateAfter: boolean;
}

/** x and gate: (…, n), weight: (n) → (…, n) */
export function gatedNorm(g: Graph, x: Value, gate: Value, { weight, epsilon, groups, gateAfter }: GatedNorm): Value {
  const normed = (input: Value): Value => groupNorm(g, input, weight, epsilon, groups);
  return gateAfter ? mul(g, normed(x), silu(g, gate)) : normed(swiGlu(g, gate, x));
}

/** RMSNorm of each of `groups` equal parts of the last axis. x: (…, n), weight: (n) → (…, n) */
function groupNorm(g: Graph, x: Value, weight: Value, epsilon: number, groups: number): Value {
  if (groups === 1) return rmsNorm(g, x, weight, epsilon);
  const width = Number(x.shape.at(-1)) / groups;
  const parts = reshape(g, x, [...x.shape.slice(0, -1), groups, width]);
  return mul(g, reshape(g, rmsNorm(g, parts, constant(g, width, 1), epsilon), x.shape), weight);
}

/** factor · x / √(Σ x² + ε) over the last axis: an RMSNorm with a constant weight. */
export function unitNorm(g: Graph, x: Value, epsilon: number, factor = 1): Value {
  const width = Number(x.shape.at(-1));
  return rmsNorm(g, x, constant(g, width, factor / Math.sqrt(width)), epsilon / width);
}

const constant = (g: Graph, width: number, value: number): Value =>
  g.once(`all ${width} ${value}`, () => g.floats(new Float32Array(width).fill(value), [width]));
