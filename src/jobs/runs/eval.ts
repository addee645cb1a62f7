/** Perplexity of a text, or of calibration rows, for a model or a view of it; and how near it is to the unpruned model. */
import { repeatingOf } from '../../engine/evaluate/repeating';
import type { TokenRows } from '../../engine/model/forward';
import { inPhases, type JobOptions } from '../../engine/progress';
import type { EvaluateResult, RepetitionResult } from '../results/eval';
import type { OptionsFor } from '../kinds';
import { type JobContext, type RunEnd, secondsSince } from '../run';
import {
  beyondReason,
  type EvalModels,
  evalResult,
  evalSubject,
  judgedVocabulary,
  measureEvalRows,
  tellBeginning,
  withEvalModels,
} from './eval-subject';

type Options = OptionsFor<'eval'>;

export async function runEval(options: Options, context: JobContext): Promise<RunEnd<EvaluateResult>> {
  const start = performance.now();
  const subject = await evalSubject(options, context);
  const { rows, textSize, facts, run } = subject;
  const { measured, device } = await withEvalModels(subject, options, context, async (models) => {
    const found = await measure(models, rows, options, context);
    await tellBeginning(models, subject, context);
    return { measured: found, device: models.own.device };
  });
  const { numbers, warning, repetition } = measured;
  if (warning !== undefined) context.warn(warning);
  const result = evalResult(numbers, { length: rows[0].length, textSize }, facts, {
    repetition,
    seconds: secondsSince(start),
  });
  beyondReason(result, judgedVocabulary(subject)).forEach(context.warn);
  return { result, run: run(device) };
}

/** Shares of progress: a continuation takes about as long as some rows. */
const WRITING_ROWS = 16;

async function measure(models: EvalModels, rows: TokenRows, { repetition: texts }: Options, context: JobContext) {
  if (texts === undefined) return { ...(await measureEvalRows(models, rows, context.job)), repetition: undefined };
  const [reading, writing] = inPhases(context.job, [
    { share: rows.length },
    { share: WRITING_ROWS * texts, unpaced: true },
  ]);
  const measured = await measureEvalRows(models, rows, reading);
  return { ...measured, repetition: await repetitionOf(models, rows, texts, writing) };
}

async function repetitionOf(
  { own, unpruned }: EvalModels,
  rows: TokenRows,
  texts: number,
  job: JobOptions,
): Promise<RepetitionResult> {
  const [first, second] = unpruned ? inPhases(job, [{ share: 1 }, { share: 1 }]) : [job, job];
  const written = await repeatingOf(own, rows, texts, first);
  const whole = unpruned && (await repeatingOf(unpruned, rows, texts, second));
  return {
    texts: written.texts,
    mean: orNull(written.mean),
    unpruned: whole === undefined ? null : orNull(whole.mean),
  };
}

const orNull = (value: number): number | null => (Number.isNaN(value) ? null : value);
