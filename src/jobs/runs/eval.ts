/** Perplexity of a text, or of calibration rows, for a model or a view of it. */
import { CALIBRATION_IS_EVALUATION, wasCalibratedWith } from '../../engine/evaluate/calibrated';
import { perplexityOfRows } from '../../engine/evaluate/perplexity';
import { loadRows, type RowSource } from '../../engine/evaluate/rows';
import { openForComputing, withModel } from '../../engine/model/opened';
import { removedJson } from '../../engine/model/view';
import { detailsOf } from '../../engine/records/details';
import type { EvaluateResult } from '../../protocol/jobs';
import type { OptionsFor } from '../kinds';
import { type JobContext, modelOptions, type RunEnd, secondsSince } from '../run';

export async function runEval(options: OptionsFor<'eval'>, context: JobContext): Promise<RunEnd<EvaluateResult>> {
  const start = performance.now();
  const opened = await openForComputing(options.checkpoint, options, context.job);
  const { checkpoint, architecture, changes, inputs } = opened;
  const source = sourceOf(options);
  const { rows, input, drawn, bos, warnings } = await loadRows(source, checkpoint, architecture, context.job);
  const isText = source.from === 'text';
  const calibrated = !isText || (await wasCalibratedWith(opened, input.sha256!));
  if (isText && calibrated) context.warn(CALIBRATION_IS_EVALUATION);
  warnings.forEach(context.warn);

  const { measured, device } = await withModel(
    checkpoint,
    { ...modelOptions(options, context), changes },
    async (model) => ({
      measured: await perplexityOfRows(model, rows, opened.view, context.job),
      device: model.device,
    }),
  );
  const { warning, ...perplexity } = measured;
  if (warning !== undefined) context.warn(warning);
  const removed = removedJson(opened.removed);
  const window = isText ? source.window : rows[0].length;
  return {
    result: { ...perplexity, window, bos, removed, calibrated, seconds: secondsSince(start) },
    run: detailsOf(checkpoint, options, {
      inputs: [input, ...inputs],
      settings: { ...(!isText && { rows: 'calibration' }), ...drawn, removed },
      device,
    }),
  };
}

function sourceOf({ text, window, bos, limit, calibration, samples, length, seed }: OptionsFor<'eval'>): RowSource {
  return text === undefined
    ? { from: 'calibration', file: calibration!, samples, length, seed }
    : { from: 'text', file: text, window, bos, limit };
}
