/** A whole curve, from the request to its points; and some of its points over some of its rows, as parts measure them. */
import { lossWarning } from '../importance/not-finite';
import type { TokenRows } from '../model/forward';
import type { Model, ModelOptions } from '../model/model';
import { type OpenedModel, withModel } from '../model/opened';
import type { View } from '../model/view';
import type { Part } from '../parts/part';
import { numbersIn, type Range, shareOf, type Share } from '../parts/split';
import type { Filled } from '../parts/table';
import type { JobOptions } from '../progress';
import { curvePoints, type CurvePoint, measuredViews } from './curve';
import { type CurveOptions, type CurvePlan, planCurve } from './curve-plan';
import { curveWork, pointsIn } from './cut-work';
import { filledByRow, type RowComparisons, type RowLosses } from './row-numbers';
import { type ComparedPoint, type Within, withinDivergence, withTeacher } from './within';

export interface Curve extends Pick<CurvePlan, 'text' | 'parametersRead' | 'inputs' | 'settings'> {
  readonly points: readonly CurvePoint[];
  /** Set if a limit was given. */
  readonly within?: Within;
  readonly device: Model['device'];
  /** Warnings about the numbers and the texts, once each. */
  readonly warnings: readonly string[];
}

/**
 * @param opened the model; every point leaves out what it leaves out
 * @throws UserError when scores or texts cannot be used, CancelledError
 */
export async function runCurve(
  opened: OpenedModel,
  options: CurveOptions,
  compute: Omit<ModelOptions, 'changes'>,
  job: JobOptions,
): Promise<Curve> {
  const { plan, measuring } = await planCurve(opened, options, compute, job);
  const all = { rows: { from: 0, to: plan.rows.length }, points: [...plan.points.keys()] };
  const { numbers, device, broken } = await measureSome(opened, plan, all, compute, measuring);
  const { text, parametersRead, inputs, settings } = plan;
  return {
    ...measuredCurve(plan.points, numbers, text.length, options.maxKl),
    ...{ text, parametersRead, device, inputs, settings },
    warnings: [...new Set([...plan.warnings, ...broken])],
  };
}

/** The curve from the numbers of all its points over all rows. @param length tokens of a row */
export function measuredCurve(
  planned: CurvePlan['points'],
  numbers: readonly (RowLosses | RowComparisons)[],
  length: number,
  maxKl: number | undefined,
): Pick<Curve, 'points' | 'within'> {
  const points = curvePoints(planned, numbers, length);
  return { points, ...(maxKl !== undefined && { within: withinDivergence(points as ComparedPoint[], maxKl) }) };
}

/** A part of a curve. */
export interface MeasuredCurvePart {
  readonly share: Share;
  /** By point. */
  readonly filled: readonly Filled[];
  readonly device: Model['device'];
  readonly warnings: readonly string[];
}

/** @throws UserError when the curve has fewer parts; CancelledError */
export async function measureCurvePart(
  opened: OpenedModel,
  plan: CurvePlan,
  compute: Omit<ModelOptions, 'changes'>,
  part: Part,
  job: JobOptions,
): Promise<MeasuredCurvePart> {
  const share = shareOf(curveWork(opened.architecture, plan.views, plan.text, plan.isCompared), part);
  const range = pointsIn(share.candidates, share.whole);
  const some = { rows: share.rows, points: numbersIn(range) };
  const { numbers, device, broken } = await measureSome(opened, plan, some, compute, job);
  return {
    share,
    filled: filledByRow(range.from, share.rows, numbers),
    device,
    warnings: [...new Set([...plan.warnings, ...broken])],
  };
}

/** What of a plan is measured. */
interface Some {
  readonly rows: Range;
  /** Ascending. */
  readonly points: readonly number[];
}

async function measureSome(
  opened: OpenedModel,
  plan: CurvePlan,
  some: Some,
  compute: Omit<ModelOptions, 'changes'>,
  job: JobOptions,
): Promise<Pick<Curve, 'device'> & { readonly numbers: (RowLosses | RowComparisons)[]; readonly broken: string[] }> {
  const { checkpoint, changes } = opened;
  const rows = plan.rows.slice(some.rows.from, some.rows.to);
  const views = some.points.map((point) => plan.views[point]);
  const seen = async (model: Model, numbers: (RowLosses | RowComparisons)[]) => {
    const points = curvePoints(
      some.points.map((point) => plan.points[point]),
      numbers,
      rows[0].length,
    );
    return { numbers, device: model.device, broken: await pointsWarnings(model, rows, views, points, job) };
  };
  if (plan.isCompared) {
    return withTeacher(opened, rows, views.length, compute, job, async (model, teacher, measuring) =>
      seen(model, await measuredViews(model, rows, views, measuring, teacher)),
    );
  }
  return withModel(checkpoint, { ...compute, changes }, async (model) =>
    seen(model, await measuredViews(model, rows, views, job)),
  );
}

/** The warning for the first point whose loss is not finite, if there is one. */
async function pointsWarnings(
  model: Model,
  rows: TokenRows,
  views: readonly View[],
  points: readonly CurvePoint[],
  job: JobOptions,
): Promise<string[]> {
  const at = points.findIndex(({ meanNll }) => !Number.isFinite(meanNll));
  if (at < 0) return [];
  const warning = await lossWarning(model, rows, views[at], points[at], job);
  const { count } = points[at];
  return [count === 0 ? warning! : `with ${count} blocks removed, ${warning}`];
}
