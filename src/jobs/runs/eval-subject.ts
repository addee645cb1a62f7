/** What is evaluated: a model over rows, and the unpruned model that it is compared with. */
import { isJudging } from '../../format/text-share';
import { type AskedRows, askedWarning, isAsked, unfitWarning } from '../../engine/importance/text-fit';
import type { Checkpoint } from '../../engine/checkpoint/types';
import { CALIBRATION_IS_EVALUATION, wasCalibratedWith } from '../../engine/evaluate/calibrated';
import { comparedRows, type Unpruned, type Viewed } from '../../engine/evaluate/compared';
import { measuredRows, type MeasuredRows, perplexityFrom } from '../../engine/evaluate/perplexity';
import type { RowComparisons, RowLosses } from '../../engine/evaluate/row-numbers';
import { loadRows, type RowSource } from '../../engine/evaluate/rows';
import { bitsPerByte, type TextSize } from '../../engine/evaluate/bits-per-byte';
import { referenceOf, requireSameRows, withUnpruned } from '../../engine/evaluate/unpruned';
import type { TokenRows } from '../../engine/model/forward';
import { openForComputing, type OpenedModel, withModel } from '../../engine/model/opened';
import { removedJson } from '../../engine/model/view';
import type { DeviceReport } from '../../engine/onnx/device';
import { option } from '../../engine/option-token';
import type { JobOptions } from '../../engine/progress';
import { detailsOf, type RunDetails } from '../../engine/records/details';
import { modelInput, modelName } from '../../engine/records/record';
import type { EvaluateResult } from '../results/eval';
import type { OptionsFor } from '../kinds';
import { floatOf } from '../options/precision';
import { type JobContext, modelOptions } from '../run';

type Options = OptionsFor<'eval'>;

/** What the result says besides its numbers. */
export type EvaluatedFacts = Pick<
  EvaluateResult,
  'against' | 'window' | 'bos' | 'vocabulary' | 'removed' | 'calibrated' | 'precision'
>;

/** Opened and read, but not measured. */
export interface EvalSubject {
  readonly opened: OpenedModel;
  /** All of one length. */
  readonly rows: TokenRows;
  /** How long the text in them is; undefined for rows of ids. */
  readonly textSize: TextSize | undefined;
  /** How the rows were asked to begin. */
  readonly asked: AskedRows;
  /** The unpruned model; undefined if there is nothing to compare. */
  readonly reference: Checkpoint | undefined;
  readonly facts: EvaluatedFacts;
  /** The run's part of the record. */
  readonly run: (device: DeviceReport) => RunDetails;
}

const BITS = 'the bits per byte of both on the same text';
const NO_BLOCKS = 'all blocks are left out: the numbers are those of embedding and head alone';

/** Opens and reads everything; warns and notes what the user must know of it. @throws UserError, CancelledError */
export async function evalSubject(options: Options, context: JobContext): Promise<EvalSubject> {
  const opened = await openForComputing(options.checkpoint, options, context.job);
  const { checkpoint, architecture, inputs } = opened;
  const gone = removedJson(opened.removed).filter((part) => typeof part === 'number');
  if (gone.length === architecture.layers.length) context.warn(NO_BLOCKS);
  const source = sourceOf(options);
  const loaded = await loadRows(source, checkpoint, architecture, context.job);
  const { rows, input, drawn, bos, warnings } = loaded;
  const isText = source.from === 'text';
  const { share } = source;
  const read = { sha256: input.sha256!, share };
  const calibrated = (!isText && !isJudging(share)) || (await wasCalibratedWith(opened, options.adapter, read));
  if ((isText || isJudging(share)) && calibrated) context.warn(CALIBRATION_IS_EVALUATION);
  warnings.forEach(context.warn);
  const { checkpoint: reference, missing, unlike } = await referenceOf(opened, options.against, [process.cwd()]);
  if (missing !== undefined)
    context.note(
      `${missing}, which this model was made from, is not beside it: name it with ${option('against', 'CHECKPOINT')}`,
    );
  if (unlike !== undefined)
    context.note(`the original cannot be compared with token by token (${unlike}): compare ${BITS}`);
  if (reference) await requireSameRows(reference, opened, source, loaded, context.job);
  const precision = floatOf(options.precision);
  const removed = removedJson(opened.removed);
  return {
    opened,
    rows,
    textSize: await loaded.textSize?.(),
    asked: { choice: options.bos, mode: bos, id: loaded.bosId },
    reference,
    facts: {
      ...(reference && { against: { model: modelName(reference), identity: reference.identity } }),
      window: isText ? source.window : rows[0].length,
      ...{ bos, vocabulary: architecture.vocabulary, removed, calibrated, precision },
    },
    run: (device) =>
      detailsOf(checkpoint, options, {
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

/** Opened models: the one that is evaluated, and where there is one, the unpruned one. */
export interface EvalModels {
  readonly own: Viewed & { readonly device: DeviceReport };
  readonly unpruned?: Unpruned;
}

/** Opens the models, calls `use` and closes them. */
export function withEvalModels<T>(
  { opened, reference, facts }: EvalSubject,
  options: Options,
  context: JobContext,
  use: (models: EvalModels) => Promise<T>,
): Promise<T> {
  const { checkpoint, changes, view } = opened;
  const compute = { ...modelOptions(options, context), precision: facts.precision };
  return withModel(checkpoint, { ...compute, changes }, (model) => {
    const own = { model, view, device: model.device };
    if (!reference) return use({ own });
    const same = { ...compute, precision: model.precision };
    return withUnpruned(reference, opened, model, same, (unpruned) => use({ own, unpruned }));
  });
}

/** Measures rows, and compares them where there is an unpruned model. @throws CancelledError */
export const measureEvalRows = (
  { own, unpruned }: EvalModels,
  rows: TokenRows,
  job: JobOptions,
): Promise<MeasuredRows<RowLosses | RowComparisons>> =>
  unpruned ? comparedRows(own, unpruned, rows, job) : measuredRows(own.model, rows, own.view, job);

/**
 * Warns where the rows begin as somebody asked for, and the model would read them better with or without a begin-of-text token.
 * @throws CancelledError
 */
export async function tellBeginning(
  { own }: EvalModels,
  { rows, asked }: EvalSubject,
  { job, warn }: Pick<JobContext, 'job' | 'warn'>,
): Promise<void> {
  const warning = await askedWarning(own.model, rows, asked, job, own.view);
  if (warning !== undefined) warn(warning);
}

/** By whose vocabulary a perplexity may be beyond reason: of a whole model, where nobody asked for a beginning. */
export const judgedVocabulary = ({ asked, opened }: EvalSubject): number | undefined =>
  opened.removed.length === 0 && opened.changes.length === 0 && !isAsked(asked)
    ? opened.architecture.vocabulary
    : undefined;

/** The warnings for a perplexity of all rows. @param vocabulary of `judgedVocabulary` */
export function beyondReason({ ppl }: Pick<EvaluateResult, 'ppl'>, vocabulary: number | undefined): string[] {
  const warning = vocabulary === undefined ? undefined : unfitWarning(ppl, vocabulary);
  return warning === undefined ? [] : [warning];
}

/** What the numbers of all rows are of. */
export interface MeasuredText {
  /** Tokens of a row. */
  readonly length: number;
  readonly textSize: TextSize | undefined;
}

/** The result from the numbers of all rows. */
export function evalResult(
  numbers: RowLosses | RowComparisons,
  { length, textSize }: MeasuredText,
  facts: EvaluatedFacts,
  { repetition, seconds }: Pick<EvaluateResult, 'repetition' | 'seconds'>,
): EvaluateResult {
  const { ppl, meanNll, ...measured } = perplexityFrom(numbers, length);
  const bits = textSize && textSize.bytes > 0 && { bitsPerByte: bitsPerByte(meanNll, textSize) };
  return { ppl, meanNll, ...bits, ...measured, ...(repetition && { repetition }), ...facts, seconds };
}

function sourceOf({ text, window, bos, limit, calibration, samples, length, seed, share }: Options): RowSource {
  return text === undefined
    ? { from: 'calibration', file: calibration!, samples, length, seed, share, bos }
    : { from: 'text', file: text, window, bos, limit, share };
}
