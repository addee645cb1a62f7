/** Perplexity of a text, or of calibration rows, for a model or a view of it; and how near it is to the unpruned model. */
import { CALIBRATION_IS_EVALUATION, wasCalibratedWith } from '../../engine/evaluate/calibrated';
import { comparedPerplexity } from '../../engine/evaluate/compared';
import { perplexityOfRows } from '../../engine/evaluate/perplexity';
import { repeatingOf } from '../../engine/evaluate/repeating';
import { loadRows, type RowSource } from '../../engine/evaluate/rows';
import { referenceOf, requireSameRows, withUnpruned } from '../../engine/evaluate/unpruned';
import type { TokenRows } from '../../engine/model/forward';
import type { Model } from '../../engine/model/model';
import { openForComputing, type OpenedModel, withModel } from '../../engine/model/opened';
import { removedJson } from '../../engine/model/view';
import { option } from '../../engine/option-token';
import { inPhases } from '../../engine/progress';
import type { Checkpoint } from '../../engine/checkpoint/types';
import { detailsOf } from '../../engine/records/details';
import { modelInput, modelName } from '../../engine/records/record';
import type { EvaluateResult, RepetitionResult } from '../../protocol/jobs';
import type { OptionsFor } from '../kinds';
import { floatOf } from '../options/precision';
import { type JobContext, modelOptions, type RunEnd, secondsSince } from '../run';

type Options = OptionsFor<'eval'>;

export async function runEval(options: Options, context: JobContext): Promise<RunEnd<EvaluateResult>> {
  const start = performance.now();
  const opened = await openForComputing(options.checkpoint, options, context.job);
  const { checkpoint, architecture, changes, inputs } = opened;
  const source = sourceOf(options);
  const loaded = await loadRows(source, checkpoint, architecture, context.job);
  const { rows, input, drawn, bos, warnings } = loaded;
  const isText = source.from === 'text';
  const calibrated = !isText || (await wasCalibratedWith(opened, input.sha256!));
  if (isText && calibrated) context.warn(CALIBRATION_IS_EVALUATION);
  warnings.forEach(context.warn);
  const { checkpoint: reference, missing } = await referenceOf(opened, options.against, [process.cwd()]);
  if (missing !== undefined)
    context.note(
      `${missing}, which this model was made from, is not beside it: name it with ${option('against', 'CHECKPOINT')}`,
    );
  if (reference) await requireSameRows(reference, opened, source, loaded, context.job);

  const precision = floatOf(options.precision);
  const compute = { ...modelOptions(options, context), precision };
  const { measured, device } = await withModel(checkpoint, { ...compute, changes }, async (model) => ({
    measured: await measure({ opened, model, reference, rows }, options, context),
    device: model.device,
  }));
  const { warning, ...numbers } = measured;
  if (warning !== undefined) context.warn(warning);
  const removed = removedJson(opened.removed);
  const window = isText ? source.window : rows[0].length;
  const against = reference && { against: { model: modelName(reference), identity: reference.identity } };
  return {
    result: { ...numbers, ...against, window, bos, removed, calibrated, precision, seconds: secondsSince(start) },
    run: detailsOf(checkpoint, options, {
      inputs: [input, ...inputs, ...(reference ? [{ ...modelInput(reference), role: 'against' }] : [])],
      settings: {
        ...(!isText && { rows: 'calibration' }),
        ...drawn,
        removed,
        ...(options.repetition !== undefined && { repetition: options.repetition }),
      },
      device,
      precision,
      checkpoints: reference && reference.home !== checkpoint.home ? [reference] : [],
    }),
  };
}

interface Measured {
  readonly opened: OpenedModel;
  readonly model: Model;
  readonly reference: Checkpoint | undefined;
  readonly rows: TokenRows;
}

/** Shares of progress: a continuation takes about as long as some rows. */
const WRITING_ROWS = 16;

async function measure({ opened, model, reference, rows }: Measured, options: Options, context: JobContext) {
  const { repetition: texts } = options;
  const { view } = opened;
  const [reading, writing] = inPhases(context.job, [
    { share: rows.length },
    { share: WRITING_ROWS * (texts ?? 0), unpaced: true },
  ]);
  const job = texts === undefined ? context.job : reading;
  const own = { model, view };
  if (!reference) {
    const perplexity = await perplexityOfRows(model, rows, view, job);
    if (texts === undefined) return perplexity;
    const written = await repeatingOf(own, rows, texts, writing);
    return { ...perplexity, repetition: repetitionResult(written.mean, undefined, written.texts) };
  }
  const compute = { ...modelOptions(options, context), precision: model.precision };
  return withUnpruned(reference, opened, model, compute, async (unpruned) => {
    const compared = await comparedPerplexity(own, unpruned, rows, job);
    if (texts === undefined) return compared;
    const [first, second] = inPhases(writing, [{ share: 1 }, { share: 1 }]);
    const written = await repeatingOf(own, rows, texts, first);
    const whole = await repeatingOf(unpruned, rows, texts, second);
    return { ...compared, repetition: repetitionResult(written.mean, whole.mean, written.texts) };
  });
}

const repetitionResult = (mean: number, unpruned: number | undefined, texts: number): RepetitionResult => ({
  texts,
  mean: orNull(mean),
  unpruned: unpruned === undefined ? null : orNull(unpruned),
});

const orNull = (value: number): number | null => (Number.isNaN(value) ? null : value);

function sourceOf({ text, window, bos, limit, calibration, samples, length, seed }: Options): RowSource {
  return text === undefined
    ? { from: 'calibration', file: calibration!, samples, length, seed }
    : { from: 'text', file: text, window, bos, limit };
}
