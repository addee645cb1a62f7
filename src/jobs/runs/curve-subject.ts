/** What a curve is measured of, and its result. */
import type { CurvePlan, CurveOptions } from '../../engine/evaluate/curve-plan';
import type { Curve } from '../../engine/evaluate/run-curve';
import type { Criterion } from '../../engine/importance/criteria';
import type { ModelOptions } from '../../engine/model/model';
import { openForComputing, type OpenedModel } from '../../engine/model/opened';
import { modelName } from '../../engine/records/record';
import type { Precision } from '../../engine/precision';
import type { OptionsFor } from '../kinds';
import { floatOf } from '../options/precision';
import { type JobContext, modelOptions } from '../run';
import type { AnsweredPoint } from './curve-tasks';
import { judgingRows } from './judging-rows';
import { requireKept } from './keep';

type Options = OptionsFor<'curve'>;

export interface CurveSummary extends Pick<Curve, 'within' | 'text' | 'parametersRead'> {
  readonly points: readonly AnsweredPoint[];
  readonly criterion: Criterion;
  readonly model: { readonly name: string; readonly path: string; readonly identity: string };
  readonly seconds: number;
  readonly device: string;
  readonly precision: Precision;
}

/** Opened, and what is asked of it. */
export interface CurveSubject {
  readonly opened: OpenedModel;
  readonly asked: CurveOptions;
  readonly compute: Omit<ModelOptions, 'changes'>;
  /** What the result says besides its numbers. */
  readonly facts: Pick<CurveSummary, 'criterion' | 'model' | 'precision'>;
}

/** @throws UserError when the checkpoint cannot be computed with; OptionError when it lacks a block to keep */
export async function curveSubject(options: Options, context: JobContext): Promise<CurveSubject> {
  const { criterion, scores, most, keepEnds, keep, measure, maxKl } = options;
  const opened = await openForComputing(options.checkpoint, options, context.job);
  if (keep) requireKept(keep, opened.architecture.layers.length);
  const precision = floatOf(options.precision);
  const { checkpoint } = opened;
  return {
    opened,
    asked: { criterion, scoring: options, scores, most, keepEnds, keep, measure, maxKl, rows: judgingRows(options) },
    compute: { ...modelOptions(options, context), precision },
    facts: {
      criterion,
      model: { name: modelName(checkpoint), path: checkpoint.path, identity: checkpoint.identity },
      precision,
    },
  };
}

/** The result from measured points. */
export function curveResult(
  { criterion, model, precision }: CurveSubject['facts'],
  { points, within }: Pick<CurveSummary, 'points' | 'within'>,
  { text, parametersRead }: Pick<CurvePlan, 'text' | 'parametersRead'>,
  { seconds, device }: Pick<CurveSummary, 'seconds' | 'device'>,
): CurveSummary {
  return {
    ...{ criterion, model, points, ...(within && { within }), text, parametersRead },
    ...{ seconds, device, precision },
  };
}
