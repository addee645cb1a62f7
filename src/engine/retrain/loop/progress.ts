/** The progress of a run, in words and in counted tokens. */
import { counted } from '../../../format/words';
import type { Work } from '../../progress';
import type { PassWork } from './backprop';
import type { TrainOptions } from './options';
import { learningRateAt, PASSES_PER_STEP } from './schedule';
import type { TrainingState } from './training-state';

/** Number of steps whose losses are averaged for display. */
const SMOOTHING = 10;

/** Progress of a step. */
export function stepWork(work: Work): PassWork {
  return {
    check: () => work.check(),
    advance: (tokens) => work.advance(PASSES_PER_STEP * tokens),
  };
}

/** Progress of an evaluation after `step`, which names its rows. */
export const evaluationWork = (work: Work, step: number, rows: number): PassWork =>
  rowsWork(work, step === 0 ? 'measuring the start' : `measuring after step ${step}`, rows);

/** Progress of measuring rows, which names them. */
export function rowsWork(work: Work, what: string, rows: number): PassWork {
  let seen = 0;
  work.step(`${what}: 0 of ${counted(rows, 'row')}`);
  return {
    check: () => work.check(),
    advance(tokens, of) {
      work.step(`${what}: ${(seen += of)} of ${rows} rows`);
      work.advance(tokens);
    },
  };
}

/**
 * "step 12 of 100, loss 2.345, ppl 12.3, lr 1.0e-4": the loss is the mean of the last steps, the ppl that of the
 * held-out part.
 */
export function describeStep({ step, log }: TrainingState, options: TrainOptions): string {
  const recent = log.trace.slice(-SMOOTHING);
  const parts = [`step ${step + 1} of ${options.steps}`];
  if (recent.length > 0) {
    parts.push(`loss ${(recent.reduce((sum, { loss }) => sum + loss, 0) / recent.length).toFixed(3)}`);
  }
  const last = log.evaluations.at(-1);
  if (last) parts.push(`ppl ${Math.exp(last.loss).toPrecision(3)}`);
  parts.push(`lr ${learningRateAt(step + 1, options).toExponential(1)}`);
  return parts.join(', ');
}
