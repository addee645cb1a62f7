/** The logits of the last hidden states, defined once: cap(scale · head(RMSNorm(x))). */
import type { Architecture } from '../checkpoint/architecture';
import type { Graph, Value } from '../onnx/graph';
import { scale, softCap } from '../onnx/ops/elementwise';
import { rmsNorm } from '../onnx/ops/norm';

/** What of a model the way from its last states to logits needs. */
export type HeadStyle = Pick<Architecture, 'rmsNormEps' | 'style'>;

/** The final norm. x: (tokens, hidden), weight: (hidden) → (tokens, hidden) */
export const finalNorm = (g: Graph, x: Value, weight: Value, { rmsNormEps, style }: HeadStyle): Value =>
  rmsNorm(g, x, weight, rmsNormEps, style.normOffset);

/** Factor and cap of the head's products. z: (tokens, n) → (tokens, n) */
export function finishLogits(g: Graph, z: Value, { style }: HeadStyle): Value {
  const scaled = scale(g, z, style.logitScale);
  return style.logitCap === null ? scaled : softCap(g, scaled, style.logitCap);
}

/** Equal for models whose last states become logits in the same way, weights aside. */
export const headStyleKey = ({ rmsNormEps, style }: HeadStyle): string =>
  [rmsNormEps, style.normOffset, style.logitScale, style.logitCap].join(' ');
