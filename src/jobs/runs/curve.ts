/** Perplexity of a model without one, two, three … of its blocks. */
import { runCurve } from '../../engine/evaluate/run-curve';
import { inPhases } from '../../engine/progress';
import { detailsOf } from '../../engine/records/details';
import type { OptionsFor } from '../kinds';
import { type JobContext, type RunEnd, secondsSince } from '../run';
import { curveResult, curveSubject, type CurveSummary } from './curve-subject';
import { answeredPoints } from './curve-tasks';

export async function runCurveJob(options: OptionsFor<'curve'>, context: JobContext): Promise<RunEnd<CurveSummary>> {
  const start = performance.now();
  const { measure } = options;
  const { opened, asked, compute, facts } = await curveSubject(options, context);
  const asks = measure === 'tasks';
  const [measuring, asking] = inPhases(context.job, [{ share: 1 }, { share: asks ? 4 : 0 }]);
  const measured = await runCurve(opened, asked, compute, measuring);
  measured.warnings.forEach(context.warn);
  const points = asks ? await answeredPoints(measured.points, options, context, asking) : measured.points;
  const { within, device, inputs, settings } = measured;
  return {
    result: curveResult(facts, { points, within }, measured, {
      seconds: secondsSince(start),
      device: device.provider,
    }),
    run: detailsOf(opened.checkpoint, options, {
      inputs,
      settings: asks ? { ...settings, measure, tasks: options.tasks, items: options.limit } : settings,
      device,
      precision: facts.precision,
    }),
  };
}
