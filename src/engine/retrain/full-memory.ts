/** What full-parameter training takes, so that it is refused before it fills the machine. */
import { freemem } from 'node:os';
import type { Architecture } from '../checkpoint/architecture';
import { elements, parametersOf, parametersOfBlock } from '../checkpoint/parameters';
import { outerWeights } from '../checkpoint/weights';
import { UserError } from '../errors';
import { TOKENS_PER_RUN } from './backprop';

/** Of each parameter: its value, its two moments and its gradient, in float32. */
const COPIES = 4;
/** Arrays of logits' size that the head's loss and its gradient need at a time, of 64 MiB each. */
const LOGITS_BYTES = 4 * (64 << 20);

/** Bytes at least, with nothing kept that can be computed again. */
export function fullTrainingBytes(architecture: Architecture, keepsBest: boolean): number {
  const { blocks, hidden, ffn } = architecture;
  const copies = COPIES + (keepsBest ? 1 : 0);
  const head = elements(outerWeights(architecture).head.shape);
  // One block's gradients and the head's (twice) on their way to the sums.
  const passing = parametersOfBlock(architecture) + 2 * head;
  // The residual stream before every block, and a block's own intermediate values.
  const states = TOKENS_PER_RUN * ((blocks + 4) * hidden + 8 * ffn);
  return 4 * (copies * parametersOf(architecture) + passing + states) + LOGITS_BYTES;
}

/** @throws UserError when the training would take more than `budget` bytes (of the free ones when undefined) */
export function requireFullMemory(architecture: Architecture, keepsBest: boolean, budget = freemem()): void {
  const bytes = fullTrainingBytes(architecture, keepsBest);
  if (bytes <= budget) return;
  throw new UserError(
    'Cannot train every weight of this model here',
    `it needs ${bytes} bytes (values, gradients and two moments of ${parametersOf(architecture)} parameters), ` +
      `and ${Math.floor(budget)} are there`,
    'Train an adapter (leave --full out), remove more blocks, or raise --memory if the machine has more.',
  );
}
