/**
 * Learning rate over a run: linear warm-up from 0, then linear decay to 0, as in Shortened LLaMA's
 * `src/lora_retrain.py`.
 */

export interface Schedule {
  /** The peak. */
  readonly learningRate: number;
  readonly warmup: number;
  readonly steps: number;
}

/** Learning rate of step 1 … `steps`. The first step of a warm-up has rate 0, as in transformers. */
export function learningRateAt(step: number, { learningRate, warmup, steps }: Schedule): number {
  const done = step - 1;
  if (done < warmup) return (learningRate * done) / warmup;
  return (learningRate * Math.max(0, steps - done)) / Math.max(1, steps - warmup);
}

/** Cost of a step in forward passes; the backward pass costs two. */
export const PASSES_PER_STEP = 3;
