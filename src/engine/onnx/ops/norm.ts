/** RMSNorm (Zhang & Sennrich 2019), the normalisation of the LLaMA line. */
import type { Graph, Value } from '../graph';
import { mul, sub } from './elementwise';
import { meanLast, reduceTo } from './reduce';

/** x / √(mean(x²) + ε) ⊙ weight, over the last axis. x: (…, n), weight: (n) → (…, n) */
export function rmsNorm(g: Graph, x: Value, weight: Value, epsilon: number): Value {
  const inverse = { type: x.type, shape: [...x.shape.slice(0, -1), 1] };
  const attributes = { axis: -1, epsilon: { float: epsilon } };
  const [output, inverseRms] = g.node('SimplifiedLayerNormalization', [x, weight], attributes, [x, inverse]);
  return g.record(output, [x, weight], (d) => {
    const normalised = mul(g, x, inverseRms); // x̂
    return [
      () => {
        // dx = (dx̂ − x̂ mean(dx̂ ⊙ x̂)) / rms, with dx̂ = dy ⊙ weight
        const dNormalised = mul(g, d, weight);
        const projection = mul(g, normalised, meanLast(g, mul(g, dNormalised, normalised)));
        return mul(g, inverseRms, sub(g, dNormalised, projection));
      },
      () => reduceTo(g, mul(g, d, normalised), weight.shape),
    ];
  });
}
