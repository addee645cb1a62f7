/**
 * The held-out part: how much of the data it is, and which of its rows a look takes. A look is to steer by, and is taken
 * many times: a sample does, as long as it is the same at every look and no file is left out of it.
 */
import { Random } from '../../random';
import type { Example } from './example';

/** Rows of a look at the held-out part. */
const LOOK_ROWS = 64;

/**
 * Records held out of `records` unless said otherwise: a twentieth, and no more than a look takes; the others are better
 * learnt from. (The paper holds out 2 000 of 51 760.)
 */
export function defaultHeldOut(records: number): number {
  return records < 2 ? 0 : Math.min(LOOK_ROWS, Math.max(1, Math.round(records / 20)));
}

/** How many of so many rows a look takes. */
export const lookSize = (heldOut: number): number => Math.min(LOOK_ROWS, heldOut);

/** The rows that every look takes: all, or some of them drawn by the seed, in their order. */
export function lookRows(heldOut: readonly Example[], seed: number): readonly Example[] {
  if (heldOut.length <= LOOK_ROWS) return heldOut;
  const drawn = new Random(seed).shuffle(heldOut.map((_, i) => i)).slice(0, LOOK_ROWS);
  return drawn.sort((a, b) => a - b).map((i) => heldOut[i]);
}
