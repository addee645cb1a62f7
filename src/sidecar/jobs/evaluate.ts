/** Perplexity of a text, or of calibration rows, under a model or a view of it. */
import { basename } from 'node:path';
import { CALIBRATION_IS_EVALUATION, wasCalibratedWith } from '../../engine/evaluate/calibrated';
import { type Perplexity, perplexityOfRows } from '../../engine/evaluate/perplexity';
import { loadRows } from '../../engine/evaluate/rows';
import { windowsOfText } from '../../engine/evaluate/text-windows';
import { contextWarning } from '../../engine/importance/calibration';
import { UserError } from '../../engine/errors';
import { announce } from '../../engine/progress';
import { detailsOf, fileInput } from '../../engine/records/details';
import type { RunInput } from '../../engine/records/record';
import { readTextFile } from '../../engine/files/text-file';
import { loadTokenizer } from '../../engine/tokenizer/tokenizer';
import type { Model } from '../../engine/model/model';
import { type OpenedModel, openForComputing, withModel } from '../../engine/model/opened';
import { removedJson } from '../../engine/model/view';
import type { EvaluateResult, EvaluateSpec } from '../../protocol/jobs';
import { type Job, type JobContext, modelOptions, secondsSince, wanted } from './job';
import { calibrationSettings } from './settings';

export const MAX_TEXT_BYTES = 64 * 2 ** 20;
export const MAX_TEXT_REASON = 'Evaluation texts have a few MB; cut it into parts.';

/** What is to be evaluated, ready for a model. */
interface Task {
  readonly input: RunInput;
  /** For the record, beside what every evaluation says. */
  readonly settings: Readonly<Record<string, unknown>>;
  readonly shape: Pick<EvaluateResult, 'window' | 'bos' | 'calibrated'>;
  readonly run: (model: Model) => Promise<Perplexity>;
}

export const evaluate: Job<'evaluate', EvaluateSpec> = async (spec, context) => {
  const start = performance.now();
  const opened = await openForComputing(spec.checkpoint, wanted(spec));
  const { checkpoint, adapter, inputs } = opened;
  const { input, settings, shape, run } = await (spec.calibration ? rowsTask : textTask)(spec, opened, context);
  const options = { ...modelOptions(spec, context.hooks), adapter };
  const { measured, device } = await withModel(checkpoint, options, async (model) => ({
    measured: await run(model),
    device: model.device,
  }));
  const { warning, ...result } = measured;
  if (warning !== undefined) context.warn(warning);
  const removed = removedJson(opened.removed);
  return {
    result: { ...result, ...shape, removed, seconds: secondsSince(start) },
    run: detailsOf(checkpoint, spec, { inputs: [input, ...inputs], settings: { ...settings, removed }, device }),
  };
};

async function textTask(
  { text: file, window = 128, limit, bos: wish }: EvaluateSpec,
  { checkpoint, architecture, view }: OpenedModel,
  { note, warn, job }: JobContext<'evaluate'>,
): Promise<Task> {
  if (file === undefined) throw new UserError('There is nothing to evaluate', 'no text is named', 'Choose a text.');
  const { text, sha256 } = await readTextFile(file, MAX_TEXT_BYTES, MAX_TEXT_REASON);
  const tokenizer = await loadTokenizer(checkpoint.folder, job);
  const calibrated = await wasCalibratedWith(checkpoint, sha256);
  if (calibrated) note(CALIBRATION_IS_EVALUATION);
  contextWarning(window, architecture.context, 'windows').forEach(warn);
  const { bosTokenId } = architecture;
  const bos = wish ?? (bosTokenId === undefined ? 'none' : 'stream');
  announce(job, `reading ${basename(file)} as tokens`);
  const { rows } = await windowsOfText(tokenizer, text, { window, bos, limit, bosTokenId });
  return {
    input: fileInput('text', file, sha256),
    settings: { window, bos, limit: limit ?? null },
    shape: { window, bos, calibrated },
    run: (model) => perplexityOfRows(model, rows, view, job),
  };
}

async function rowsTask(
  { calibration }: EvaluateSpec,
  { checkpoint, architecture, view }: OpenedModel,
  { warn, job }: JobContext<'evaluate'>,
): Promise<Task> {
  const source = { file: calibration!.file, ...calibrationSettings(calibration!) };
  const { rows, input, drawn, warnings } = await loadRows(
    { from: 'calibration', ...source },
    checkpoint,
    architecture,
    job,
  );
  warnings.forEach(warn);
  return {
    input,
    settings: { rows: 'calibration', ...drawn },
    shape: { window: rows[0].length, bos: 'none', calibrated: true },
    run: (model) => perplexityOfRows(model, rows, view, job),
  };
}
