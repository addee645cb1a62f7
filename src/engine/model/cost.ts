/**
 * Cost of the parts of a model, in applications of a block to a row: the unit of progress and estimates. Pure
 * arithmetic on the architecture; it loads nothing that computes.
 */
import type { Architecture } from '../checkpoint/architecture';
import { meanLayerParameters } from '../checkpoint/parameters';

/** Tokens per run: enough for fast products, few enough for a run to stay well under a second. */
export const TOKENS_PER_RUN = 640;

/** Rows of a length that go through a block in one run. */
export const rowsPerRun = (length: number, tokensPerRun = TOKENS_PER_RUN): number =>
  Math.max(1, Math.floor(tokensPerRun / length));

/**
 * How many rows go through the model together where memory has room for `fitting`: a number of whole runs, so that every
 * run is the same product whatever the memory is. Fewer than a run only where not one fits.
 */
export function rowsPerGroup(fitting: number, length: number): number {
  const unit = rowsPerRun(length);
  return fitting >= unit ? fitting - (fitting % unit) : Math.max(1, fitting);
}

/**
 * A block's backward pass with gradients of its weights: the forward pass again, and two products for each of its
 * products.
 */
export const BACKWARD_WORK = 3;

/** The same with the gradient of its input alone: one product for each of its products. */
export const INPUT_GRADIENT_WORK = 2;

/** The loss and its gradient with respect to the last hidden states, in forward passes of the head. */
export const HEAD_GRADIENT_WORK = 2;

/** Cost of the head, in applications of a mean block. */
export function headWork(architecture: Architecture): number {
  return (architecture.vocabulary * architecture.hidden) / meanLayerParameters(architecture);
}
