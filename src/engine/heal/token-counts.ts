/**
 * How much each token counts where a norm stands between modules and stream: by 1 / rms of the stream that is wanted, because a norm
 * gives every token the same size; the first of each row, whose stream can be far larger than all others, not at all.
 */
import type { Architecture } from '../checkpoint/architecture';
import { float32, type Tensor } from '../onnx/session';

/**
 * @param target (tokens, hidden), rows of `length` tokens
 * @returns (tokens, 1)
 */
export function tokenCounts(
  target: Float32Array,
  length: number,
  { hidden, rmsNormEps }: Pick<Architecture, 'hidden' | 'rmsNormEps'>,
): Tensor {
  const counts = new Float32Array(target.length / hidden);
  for (let token = 0; token < counts.length; token++) {
    if (token % length === 0) continue;
    let squares = 0;
    for (let i = token * hidden; i < (token + 1) * hidden; i++) squares += target[i] * target[i];
    counts[token] = 1 / Math.sqrt(squares / hidden + rmsNormEps);
  }
  return float32(counts, [counts.length, 1]);
}
