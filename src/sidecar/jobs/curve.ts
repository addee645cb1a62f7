/** Perplexity against the number of removed blocks, in the order of a criterion. */
import { runCurve } from '../../engine/evaluate/run-curve';
import { detailsOf } from '../../engine/records/details';
import { openForComputing } from '../../engine/model/opened';
import type { CurveSpec } from '../../protocol/scores';
import { type Job, modelOptions, secondsSince, wanted } from './job';
import { calibrationSettings, criterionSettings } from './settings';

/** Tokens a window of an evaluation text. */
const WINDOW = 128;

export const curve: Job<'curve', CurveSpec> = async (spec, context) => {
  const start = performance.now();
  const opened = await openForComputing(spec.checkpoint, wanted(spec));
  const { criterion, scores, most, keepEnds, keep, rows, scoring = {} } = spec;
  const source =
    rows.from === 'text' ? { ...rows, window: rows.window ?? WINDOW } : { ...rows, ...calibrationSettings(rows) };
  const options = { criterion, scoring: criterionSettings(scoring), scores, most, keepEnds, keep, rows: source };
  const curve = await runCurve(opened, options, modelOptions(spec, context.hooks), context.job);
  curve.warnings.forEach(context.warn);
  const { points, text, parametersRead, device, inputs, settings } = curve;
  const seconds = secondsSince(start);
  return {
    result: { criterion, points, text, seconds },
    results: { criterion, points, text, parametersRead, seconds },
    run: detailsOf(opened.checkpoint, spec, { inputs, settings, device }),
  };
};
