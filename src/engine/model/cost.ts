/**
 * What the parts of a model cost, in applications of a block to a row: the unit in which progress and estimates count.
 * Pure arithmetic on the architecture, which loads nothing that computes.
 */
import type { Architecture } from '../checkpoint/architecture';
import { meanLayerParameters } from '../checkpoint/parameters';

/** A block's backward pass with gradients of its weights: its forward pass again, and two products for each of its. */
export const BACKWARD_WORK = 3;

/** The loss and its gradient by the last hidden states, in forward passes of the head. */
export const HEAD_GRADIENT_WORK = 2;

/** What the head costs, in applications of a mean block. */
export function headWork(architecture: Architecture): number {
  return (architecture.vocabulary * architecture.hidden) / meanLayerParameters(architecture);
}
