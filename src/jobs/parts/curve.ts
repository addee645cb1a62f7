/** Curves in parts: each measures some points over some rows. The order of the blocks is known before. */
import type { CurvePlan } from '../../engine/evaluate/curve-plan';
import { planCurve } from '../../engine/evaluate/curve-plan';
import { rowNumbersIn } from '../../engine/evaluate/row-numbers';
import { measureCurvePart, measuredCurve } from '../../engine/evaluate/run-curve';
import { Table } from '../../engine/parts/table';
import { detailsOf } from '../../engine/records/details';
import { curveResult, curveSubject, type CurveSubject } from '../runs/curve-subject';
import type { CutJob } from './cut';
import { curveFault } from './faults';
import { filledOf } from './filled';
import { rangeWords, rowsWords, workWords } from './work-words';

/** What the numbers mean, and what the result says besides. */
interface Frame extends Pick<CurvePlan, 'points' | 'isCompared' | 'text' | 'parametersRead'> {
  readonly facts: CurveSubject['facts'];
  readonly maxKl?: number;
}

export const cutCurve: CutJob<'curve'> = {
  fault: curveFault,
  measure: async (options, context, part) => {
    const { opened, asked, compute, facts } = await curveSubject(options, context);
    const { plan, measuring } = await planCurve(opened, asked, compute, context.job);
    const measured = await measureCurvePart(opened, plan, compute, part, measuring);
    measured.warnings.forEach(context.warn);
    const { points, isCompared, text, parametersRead, inputs, settings } = plan;
    const { maxKl } = options;
    const frame: Frame = {
      facts: { ...facts, model: { ...facts.model, path: '' } },
      ...{ points, isCompared, text, parametersRead, ...(maxKl !== undefined && { maxKl }) },
    };
    return {
      share: measured.share,
      work: workWords(
        rowsWords(measured.share.rows, text.rows),
        measured.share.whole ? 'nothing removed' : undefined,
        rangeWords(
          'point',
          measured.share.candidates,
          points.slice(1).map(({ count }) => count),
        ),
      ),
      frame,
      data: measured.filled,
      path: opened.checkpoint.path,
      run: detailsOf(opened.checkpoint, options, {
        ...{ inputs, settings },
        device: measured.device,
        precision: facts.precision,
      }),
    };
  },
  finish: ({ frame: given, data, path, seconds, device }) => {
    const { facts, points, isCompared, text, parametersRead, maxKl } = given as Frame; // of records with one identity, made by `measure`
    const table = new Table(filledOf(data), text.rows);
    const numbers = points.map((_, point) => rowNumbersIn(table, point, isCompared));
    const named = { ...facts, model: { ...facts.model, path } };
    const curve = measuredCurve(points, numbers, text.length, maxKl);
    const result = curveResult(named, curve, { text, parametersRead }, { seconds, device: device!.provider });
    return { result, warnings: [] };
  },
};
