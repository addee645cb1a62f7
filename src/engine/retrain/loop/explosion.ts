/** When a loss will not come back by itself, and what is told then. */
import { UserError } from '../../errors';
import { option } from '../../option-token';
import type { Evaluation, TraceEntry } from './training-state';

/** A loss this many nats above the first one will not come back by itself. */
const EXPLOSION = 4;
/** Nor will one of the held-out part, whose rows are the same at every look, once it was never below the first. */
const HELD_OUT_EXPLOSION = 2;

/** What to try instead. */
export const REMEDY = `Try a third of the learning rate (${option('lr')}), a longer ${option('warmup')}, or look for broken rows in the data.`;

/** Training that has nothing to keep: going on would repeat it, so its state is of no use. */
export class DivergedError extends UserError {
  constructor(step: number, why: string) {
    super(`Training stopped at step ${step}`, `${why}, and there is nothing better to keep`, REMEDY);
  }
}

/** Why training ends with the step `entry`; undefined when it goes on. */
export function explosionOf({ loss, gradientNorm }: TraceEntry, first = loss): string | undefined {
  if (!Number.isFinite(loss) || !Number.isFinite(gradientNorm)) return 'the loss is no number any more';
  return loss < first + EXPLOSION ? undefined : `the loss rose from ${first.toFixed(2)} to ${loss.toFixed(2)}`;
}

/** The same of the last look at the held-out part: the loss of a model that guesses is only so high, so a batch may not tell. */
export function divergenceOf(evaluations: readonly Evaluation[], best: number | undefined): string | undefined {
  const [first] = evaluations;
  const last = evaluations[evaluations.length - 1];
  if (best !== 0 || last.loss < first.loss + HELD_OUT_EXPLOSION) return undefined;
  if (!Number.isFinite(last.loss)) {
    return `the loss of the held-out part is ${last.loss} ${last.step === 0 ? 'before the first step' : 'now'}`;
  }
  return `the loss of the held-out part rose from ${first.loss.toFixed(2)} to ${last.loss.toFixed(2)}`;
}
