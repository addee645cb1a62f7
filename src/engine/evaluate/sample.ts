/** Choosing the next token from its logits. */
import type { Random } from '../random';

/** How to draw; every limit is optional and they apply in the order temperature, top-k, top-p. */
export interface Sampling {
  /** Divides the logits: below 1 is bolder in the likely, above 1 wilder. */
  readonly temperature?: number;
  /** Only the k likeliest. */
  readonly topK?: number;
  /** Only the likeliest that together hold this probability. */
  readonly topP?: number;
}

/** The likeliest token; the first of equals. */
export function argMax(logits: Float32Array): number {
  let best = 0;
  for (let i = 1; i < logits.length; i++) if (logits[i] > logits[best]) best = i;
  return best;
}

/** Draws a token. logits: (vocabulary) */
export function sample(logits: Float32Array, { temperature = 1, topK, topP }: Sampling, random: Random): number {
  const order = Array.from(logits.keys()).sort((a, b) => logits[b] - logits[a] || a - b);
  const kept = order.slice(0, topK ?? order.length);
  const weights = kept.map((id) => Math.exp((logits[id] - logits[kept[0]]) / temperature));
  const total = weights.reduce((a, b) => a + b, 0);
  let nucleus = weights.length;
  if (topP !== undefined) {
    let held = 0;
    nucleus = weights.findIndex((w) => (held += w) >= topP * total) + 1 || weights.length;
  }
  const mass = weights.slice(0, nucleus).reduce((a, b) => a + b, 0);
  let left = random.uniform() * mass;
  for (let i = 0; i < nucleus - 1; i++) {
    left -= weights[i];
    if (left < 0) return kept[i];
  }
  return kept[nucleus - 1];
}
