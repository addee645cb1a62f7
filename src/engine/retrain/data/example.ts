/** A training example: token ids, and which of them are targets. */
import { NO_TARGET } from '../../model/targets';

export interface Example {
  readonly ids: Int32Array;
  /** As long as `ids`. Label i belongs to token i (not shifted): its id, or NO_LABEL if the loss skips it. */
  readonly labels: Int32Array;
}

/** Examples to train on, and a held-out part. */
export interface ExampleSet {
  readonly train: readonly Example[];
  /** Empty when nothing is held out. */
  readonly heldOut: readonly Example[];
  /** If a file fixes the batches: for each step, the indices of its examples in `train`. */
  readonly batches?: readonly (readonly number[])[];
}

/** Marks a token that is read but is not a target. */
export const NO_LABEL = NO_TARGET;

/** A half-open range of positions: start ≤ i < end. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** An example with the loss on the tokens of `spans` only. */
export function exampleWithTargets(ids: ArrayLike<number>, spans: readonly Span[]): Example {
  const tokens = Int32Array.from(ids);
  const labels = new Int32Array(tokens.length).fill(NO_LABEL);
  for (const { start, end } of spans) labels.set(tokens.subarray(start, end), Math.min(start, tokens.length));
  return { ids: tokens, labels };
}

/**
 * An example with the loss on every token. Labels and ids share their memory, because texts can have millions of
 * tokens.
 */
export function exampleOfText(ids: Int32Array): Example {
  return { ids, labels: ids };
}

/** Tokens of the longest row of the data. */
export function longestRow({ train, heldOut }: Pick<ExampleSet, 'train' | 'heldOut'>): number {
  return [...train, ...heldOut].reduce((most, { ids }) => Math.max(most, ids.length), 0);
}

/** Number of targets. The first token of a row has no context to be predicted from, so it never counts. */
export function countTargets({ labels }: Example): number {
  let count = 0;
  for (let i = 1; i < labels.length; i++) if (labels[i] !== NO_LABEL) count++;
  return count;
}
