/** Learning rate over a run (spec §1.11): linear warm-up from 0, then linear decay to 0. */

export interface Schedule {
  /** The peak. */
  readonly learningRate: number;
  readonly warmup: number;
  readonly steps: number;
}

/** Learning rate of step 1 … `steps`; the first step of a warm-up moves nothing, as in transformers. */
export function learningRateAt(step: number, { learningRate, warmup, steps }: Schedule): number {
  const done = step - 1;
  if (done < warmup) return (learningRate * done) / warmup;
  return (learningRate * Math.max(0, steps - done)) / Math.max(1, steps - warmup);
}

/** Forward passes that a step costs: backwards it is two. */
export const PASSES_PER_STEP = 3;
