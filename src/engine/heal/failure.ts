/** Errors of healing. */
import { UserError } from '../errors';
import { option } from '../option-token';
import type { Site } from './sites';
import { NotPositiveDefinite } from './solve';

const LOOK = 'Look for the broken weight: scoring names the block after which the numbers break.';

/** The stream has a number that is not finite. */
export const notFinite = ({ block }: Site): UserError =>
  new UserError(`Cannot heal block ${block}`, 'the hidden states there are not finite', LOOK);

/** The stream gives no factor: it is not finite, or 0 in a channel. */
export const noFactor = ({ block }: Site): UserError =>
  new UserError(
    `Cannot heal block ${block}`,
    'the hidden states after it are not finite, or 0 in a whole channel, so the cut has no factor',
    `Use another ${option('method')}. ${LOOK}`,
  );

/** Names the site of a fit that has no solution; other errors stay as they are. */
export function fitFailure(error: unknown, { block, tensor }: Site): unknown {
  if (!(error instanceof NotPositiveDefinite)) return error;
  return new UserError(
    `Cannot heal block ${block}`,
    `the least squares of its ${tensor} have no solution (${error.message})`,
    `Give a larger ${option('ridge')}. ${LOOK}`,
    { cause: error },
  );
}
