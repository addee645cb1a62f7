/** Detects a loss that will not recover, and words the error. */
import { UserError } from '../../errors';
import { option } from '../../option-token';
import type { Evaluation, TraceEntry } from './training-state';

/** A training loss this many nats above the first one will not recover. */
const EXPLOSION = 4;
/** The same for the held-out loss, which always uses the same rows, if it was never below the first one. */
const HELD_OUT_EXPLOSION = 2;

/** What to try instead. */
export const REMEDY = `Try a third of the learning rate (${option('lr')}), a longer ${option('warmup')}, or look for broken rows in the data.`;

/** Thrown when training has nothing to keep. Resuming would repeat the failure, so the saved state is useless. */
export class DivergedError extends UserError {
  constructor(step: number, why: string) {
    super(`Training stopped at step ${step}`, `${why}, and no earlier state is better`, REMEDY);
  }
}

/** Why training stops at the step `entry`; undefined when it continues. */
export function explosionOf({ loss, gradientNorm }: TraceEntry, first = loss): string | undefined {
  if (!Number.isFinite(loss) || !Number.isFinite(gradientNorm)) return 'the loss is no longer a finite number';
  return loss < first + EXPLOSION ? undefined : `the loss rose from ${first.toFixed(2)} to ${loss.toFixed(2)}`;
}

/**
 * The same for the last evaluation. The loss of a guessing model is limited, so the loss of a batch may not show the
 * divergence.
 */
export function divergenceOf(evaluations: readonly Evaluation[], best: number | undefined): string | undefined {
  const [first] = evaluations;
  const last = evaluations[evaluations.length - 1];
  if (best !== 0 || last.loss < first.loss + HELD_OUT_EXPLOSION) return undefined;
  if (!Number.isFinite(last.loss)) {
    return `the loss of the held-out part is ${last.loss} ${last.step === 0 ? 'before the first step' : 'now'}`;
  }
  return `the loss of the held-out part rose from ${first.loss.toFixed(2)} to ${last.loss.toFixed(2)}`;
}
