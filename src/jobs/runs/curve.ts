/** Perplexity of a model without one, two, three … of its blocks. */
import { type Curve, type CurveOptions, runCurve } from '../../engine/evaluate/run-curve';
import type { Criterion } from '../../engine/importance/criteria';
import { openForComputing } from '../../engine/model/opened';
import { inPhases } from '../../engine/progress';
import { detailsOf } from '../../engine/records/details';
import { modelName } from '../../engine/records/record';
import type { Precision } from '../../engine/precision';
import { curve } from '../definitions/curve';
import { floatOf } from '../options/precision';
import type { OptionsOf } from '../define';
import { type JobContext, modelOptions, type RunEnd, secondsSince } from '../run';
import { type AnsweredPoint, answeredPoints } from './curve-tasks';
import { requireKept } from './keep';

type Options = OptionsOf<typeof curve>;

export interface CurveSummary extends Pick<Curve, 'within' | 'text' | 'parametersRead'> {
  readonly points: readonly AnsweredPoint[];
  readonly criterion: Criterion;
  readonly model: { readonly name: string; readonly path: string; readonly identity: string };
  readonly seconds: number;
  readonly device: string;
  readonly precision: Precision;
}

export async function runCurveJob(options: Options, context: JobContext): Promise<RunEnd<CurveSummary>> {
  const start = performance.now();
  const { criterion, scores, most, keepEnds, keep, measure, maxKl } = options;
  const opened = await openForComputing(options.checkpoint, options, context.job);
  if (keep) requireKept(keep, opened.architecture.layers.length);
  const asked = { criterion, scoring: options, scores, most, keepEnds, keep, measure, maxKl, rows: rowsOf(options) };
  const asks = measure === 'tasks';
  const [measuring, asking] = inPhases(context.job, [{ share: 1 }, { share: asks ? 4 : 0 }]);
  const precision = floatOf(options.precision);
  const measured = await runCurve(opened, asked, { ...modelOptions(options, context), precision }, measuring);
  measured.warnings.forEach(context.warn);
  const points = asks ? await answeredPoints(measured.points, options, context, asking) : measured.points;
  const { within, text, parametersRead, device, inputs, settings } = measured;
  const { checkpoint } = opened;
  const model = { name: modelName(checkpoint), path: checkpoint.path, identity: checkpoint.identity };
  return {
    result: {
      ...{ criterion, model, points, ...(within && { within }), text, parametersRead },
      ...{ seconds: secondsSince(start), device: device.provider, precision },
    },
    run: detailsOf(checkpoint, options, {
      inputs,
      settings: asks ? { ...settings, measure, tasks: options.tasks, items: options.limit } : settings,
      device,
      precision,
    }),
  };
}

/** The text if there is one, otherwise the calibration rows. */
function rowsOf({ text, window, limit, calibration, samples, length, seed }: Options): CurveOptions['rows'] {
  return text === undefined
    ? { from: 'calibration', file: calibration!, samples, length, seed } // the job's check requires one of the two
    : { from: 'text', file: text, window, limit };
}
