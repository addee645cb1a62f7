/** RMSNorm (Zhang & Sennrich 2019), the norm of the LLaMA family. */
import type { Graph, Value } from '../graph';
import { add, mul, sub } from './elementwise';
import { meanLast, reduceTo } from './reduce';

/** x / √(mean(x²) + ε) ⊙ (offset + weight), over the last axis. x: (…, n), weight: (n) → (…, n) */
export function rmsNorm(g: Graph, x: Value, weight: Value, epsilon: number, offset = 0): Value {
  return scaledNorm(g, x, offset === 0 ? weight : add(g, weight, g.scalar(offset)), epsilon);
}

function scaledNorm(g: Graph, x: Value, weight: Value, epsilon: number): Value {
  const output = g.op('SimplifiedLayerNormalization', [x, weight], x, { axis: -1, epsilon: { float: epsilon } });
  return g.record(output, [x, weight], (d) => {
    const inverse = inverseRms(g, x, epsilon);
    const normalised = mul(g, x, inverse); // x̂
    return [
      () => {
        // dx = (dx̂ − x̂ mean(dx̂ ⊙ x̂)) / rms, with dx̂ = dy ⊙ weight
        const dNormalised = mul(g, d, weight);
        const projection = mul(g, normalised, meanLast(g, mul(g, dNormalised, normalised)));
        return mul(g, inverse, sub(g, dNormalised, projection));
      },
      () => reduceTo(g, mul(g, d, normalised), weight.shape),
    ];
  });
}

/**
 * 1 / √(mean(x²) + ε). (…, n) → (…, 1)
 *
 * The norm's operator has this as a second result, but the WebGPU provider leaves it unwritten without an error.
 */
export function inverseRms(g: Graph, x: Value, epsilon: number): Value {
  const meanSquare = meanLast(g, mul(g, x, x));
  const shifted = g.op('Add', [meanSquare, g.scalar(epsilon)], meanSquare);
  const rms = g.op('Sqrt', [shifted], meanSquare);
  return g.op('Reciprocal', [rms], meanSquare);
}
