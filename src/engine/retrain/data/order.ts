/**
 * The order of the examples: shuffled for each epoch, as a pure function of seed and step. So a resumed run continues
 * in the same order without any saved state.
 */
import { Random } from '../../random';

/**
 * Steps per epoch. If the batch size does not divide the number of examples, the remainder is left out of that epoch
 * (different examples in each), as in the paper: 49 760 examples in batches of 64 are 777 steps. A set smaller than a
 * batch is one step.
 */
export function stepsPerEpoch(examples: number, batch: number): number {
  return Math.max(1, Math.floor(examples / batch));
}

/**
 * The indices of the examples of one step, counted from 0. If there are fewer than `batch` examples: all of them, in
 * the epoch's order.
 */
export function batchIndices(seed: number, examples: number, batch: number, step: number): number[] {
  return [...indicesOfSteps(seed, examples, batch, step, step + 1)][0];
}

/** The same for the steps `from` … `to` − 1, with each epoch shuffled once. */
export function* indicesOfSteps(
  seed: number,
  examples: number,
  batch: number,
  from: number,
  to: number,
): Generator<number[]> {
  const steps = stepsPerEpoch(examples, batch);
  let epoch: number | undefined;
  let order: number[] = [];
  for (let step = from; step < to; step++) {
    const now = Math.floor(step / steps);
    if (now !== epoch) order = epochOrder(seed, examples, (epoch = now));
    const first = (step % steps) * batch;
    yield order.slice(first, first + batch);
  }
}

/**
 * A permutation of 0 … examples − 1. Each epoch's generator is seeded by a number drawn from the generator of `seed`.
 */
function epochOrder(seed: number, examples: number, epoch: number): number[] {
  const root = new Random(seed);
  let epochSeed = root.uint32();
  for (let e = 0; e < epoch; e++) epochSeed = root.uint32();
  const order = Array.from({ length: examples }, (_, i) => i);
  return new Random(epochSeed).shuffle(order);
}
