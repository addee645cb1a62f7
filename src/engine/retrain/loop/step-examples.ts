/** The examples of each step: those that the data fix, or those of the seed's order. */
import type { Example, ExampleSet } from '../data/example';
import { batchIndices, indicesOfSteps } from '../data/order';
import { countTokens } from './batch';
import type { TrainOptions } from './options';

type Order = Pick<TrainOptions, 'seed' | 'batch'>;

/** @param step 1, 2, … */
export function examplesOfStep({ train, batches }: ExampleSet, { seed, batch }: Order, step: number): Example[] {
  const indices = batches ? batches[(step - 1) % batches.length] : batchIndices(seed, train.length, batch, step - 1);
  return indices.map((i) => train[i]);
}

/** Tokens of the steps after the step `done`, without padding. */
export function tokensOfSteps(
  { train, batches }: ExampleSet,
  { seed, batch, steps }: Order & Pick<TrainOptions, 'steps'>,
  done: number,
): number {
  const tokens = (indices: readonly number[]): number => countTokens(indices.map((i) => train[i].ids));
  let sum = 0;
  if (batches) for (let step = done; step < steps; step++) sum += tokens(batches[step % batches.length]);
  else for (const indices of indicesOfSteps(seed, train.length, batch, done, steps)) sum += tokens(indices);
  return sum;
}
