/** How evaluations and curves can be cut into parts, and what the parts cost. Pure arithmetic; it loads nothing that computes. */
import type { Architecture } from '../checkpoint/architecture';
import { headWork, rowsPerRun } from '../model/cost';
import { SharedApplications } from '../model/shared-applications';
import type { View } from '../model/view';
import type { CuttableWork, Range } from '../parts/split';

/** Rows, and tokens per row. */
interface RowsShape {
  readonly rows: number;
  readonly length: number;
}

/** An evaluation is cut by rows only: the model itself is all that is measured. */
export const evalWork = ({ rows, length }: RowsShape): CuttableWork => ({
  rows,
  unit: rowsPerRun(length),
  candidates: 0,
  cost: () => 1,
});

/** The model itself is point 0 of a curve, so candidate k is point k + 1. */
export const pointsIn = ({ from, to }: Range, whole: boolean): Range => ({ from: whole ? 0 : from + 1, to: to + 1 });

/**
 * Points share their common beginnings, and each passes the head. Where they are compared, every part computes the unpruned
 * model over its rows.
 * @param views what is left of the model in each point
 */
export function curveWork(
  architecture: Architecture,
  views: readonly View[],
  { rows, length }: RowsShape,
  isCompared: boolean,
): CuttableWork {
  const shared = new SharedApplications(views);
  const head = headWork(architecture);
  const unpruned = isCompared ? architecture.layers.length + head : 0;
  return {
    rows,
    unit: rowsPerRun(length),
    candidates: views.length - 1,
    cost: (candidates, whole) => {
      const points = pointsIn(candidates, whole);
      return unpruned + shared.of(points) + head * (points.to - points.from);
    },
  };
}
