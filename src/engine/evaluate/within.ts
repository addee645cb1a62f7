/** As many blocks as a limit of the divergence allows: the curve up to where it first crosses the limit. */
import { openModel, type Model, type ModelOptions } from '../model/model';
import type { TokenRows } from '../model/forward';
import { type OpenedModel, withModel } from '../model/opened';
import { inPhases, type JobOptions } from '../progress';
import { type CurvePoint, removalCurve } from './curve';
import { wholeStates } from './likeness';

/** The answer to "as many as keep the divergence under this". */
export interface Within {
  /** The limit, in nats. */
  readonly maxKl: number;
  /** How many blocks can go, which, and the divergence without them; 0 and none where one is too many. */
  readonly count: number;
  readonly removed: readonly number[];
  readonly kl: number;
}

/** A point with its divergence from the unpruned model. */
export interface ComparedPoint extends CurvePoint {
  readonly kl: number;
  readonly top1: number;
}

/** The last point before the divergence crosses the limit. @param points from nothing removed on */
export function withinDivergence(points: readonly ComparedPoint[], maxKl: number): Within {
  const crossing = points.findIndex(({ kl }, i) => i > 0 && !(kl <= maxKl));
  const { count, removed, kl } = points[(crossing < 0 ? points.length : crossing) - 1];
  return { maxKl, count, removed, kl };
}

/**
 * Evaluates every removal on the rows, and compares it with the unpruned model.
 * @param opened the model; every point leaves out what it leaves out
 * @param removals as of `removalsOf`
 * @throws CancelledError
 */
export async function comparedCurve<T>(
  { checkpoint, changes, removed }: Pick<OpenedModel, 'checkpoint' | 'changes' | 'removed'>,
  rows: TokenRows,
  removals: readonly (readonly number[])[],
  compute: Omit<ModelOptions, 'changes'>,
  job: JobOptions,
  then: (points: ComparedPoint[], model: Model) => Promise<T>,
): Promise<T> {
  return withModel(checkpoint, { ...compute, changes }, async (model) => {
    const whole = changes.length > 0 ? await openModel(checkpoint, compute) : model;
    const [reading, measuring] = inPhases(job, [{ share: 1 }, { share: 1 + removals.length / 2 }]);
    try {
      const teacher = await wholeStates(whole, rows, reading);
      try {
        const points = await removalCurve(model, rows, removals, removed, measuring, teacher);
        return await then(points as ComparedPoint[], model);
      } finally {
        await teacher.close();
      }
    } finally {
      if (whole !== model) await whole.close();
    }
  });
}
