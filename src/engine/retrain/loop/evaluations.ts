/** Evaluations on the held-out part: when they take place, and when they end a run. */
import type { TrainOptions } from './options';
import type { TrainingState } from './training-state';

type Interval = Pick<TrainOptions, 'evalEvery' | 'steps'>;

/** Whether to evaluate after `step`: at intervals and after the last step, and never twice at one step. */
export function isEvaluated(step: number, { log }: TrainingState, { evalEvery, steps }: Interval): boolean {
  return log.evaluations.at(-1)?.step !== step && (step % evalEvery === 0 || step === steps);
}

/** Number of evaluations still to come. */
export function remainingEvaluations(state: TrainingState, options: Interval): number {
  let count = 0;
  for (let { step } = state; step <= options.steps; step++) count += Number(isEvaluated(step, state, options));
  return count;
}

/** Whether the last `patience` evaluations brought no improvement. */
export function hasStalled({ log, best }: TrainingState, patience: number | undefined): boolean {
  if (patience === undefined || best === undefined) return false;
  return log.evaluations.filter((e) => e.step > best.step).length >= patience;
}
