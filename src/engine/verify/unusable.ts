/** The verdict on a model file that onnxruntime cannot open or run: it is damaged, which is what a verification is to find. */
import { CancelledError, UserError } from '../errors';
import type { Verified } from './verdict';

/** Longer messages of onnxruntime list types and shapes. */
const MOST_WORDS = 300;

/**
 * Why the file cannot be used, in a line; undefined for what is not its fault.
 * @param error of opening or running it
 */
export function faultOfFile(error: unknown): string | undefined {
  if (!(error instanceof Error) || error instanceof CancelledError) return undefined;
  // Data beside the graph that are missing, too short or no files. Other errors for the user are about memory and devices.
  const said = error instanceof UserError ? error.cause : error;
  if (!(said instanceof Error)) return undefined;
  if (error instanceof UserError && !/external (data|initializer)/i.test(said.message)) return undefined;
  // An error of this program has another class.
  if (said.constructor !== Error) return undefined;
  return said.message.replace(/\s+/g, ' ').trim().slice(0, MOST_WORDS);
}

/** Nothing was compared. */
export const unusable = (why: string, exact: boolean): Verified => ({
  positions: 0,
  maxDifference: Infinity,
  relative: Infinity,
  meanKl: Infinity,
  top1: 0,
  greedy: { tokens: 0, equal: false, firstDifference: 0 },
  exact,
  tolerance: 0,
  passed: false,
  why,
});
