/** The order of the rows of a hand-over: that in which `retrain` would first read them. */
import { countTargets, type Example, type ExampleSet } from '../engine/retrain/data/example';
import { indicesOfSteps, stepsPerEpoch } from '../engine/retrain/data/order';

/** The rows of the first pass, step by step, and after them those that fill no step. Each row is there once. */
export function inFirstOrder(
  { train, batches }: ExampleSet,
  { seed, batch }: { readonly seed: number; readonly batch: number },
): readonly Example[] {
  const steps = batches ?? [...indicesOfSteps(seed, train.length, batch, 0, stepsPerEpoch(train.length, batch))];
  const order = new Set([...steps.flat(), ...train.keys()]);
  return [...order].map((i) => train[i]);
}

/** Tokens of the rows whose loss is compared. The number does not change much with more. */
const MOST_TOKENS = 2048;

/** The first rows, as many as one step has, up to a number of tokens; at least one with a target. */
export function firstRows(rows: readonly Example[], batch: number): readonly Example[] {
  let [tokens, targets, count] = [0, 0, 0];
  for (const row of rows.slice(0, batch)) {
    tokens += row.ids.length;
    if (targets > 0 && tokens > MOST_TOKENS) break;
    targets += countTargets(row);
    count++;
  }
  return rows.slice(0, count);
}
