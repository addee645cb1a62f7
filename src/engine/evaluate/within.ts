/** As many blocks as a limit of the divergence allows: the curve up to where it first crosses the limit. */
import { openModel, type Model, type ModelOptions } from '../model/model';
import type { TokenRows } from '../model/forward';
import type { LastStates } from '../model/last-states';
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
  opened: Pick<OpenedModel, 'checkpoint' | 'changes' | 'removed'>,
  rows: TokenRows,
  removals: readonly (readonly number[])[],
  compute: Omit<ModelOptions, 'changes'>,
  job: JobOptions,
  then: (points: ComparedPoint[], model: Model) => Promise<T>,
): Promise<T> {
  return withTeacher(opened, rows, removals.length, compute, job, async (model, teacher, measuring) => {
    const points = await removalCurve(model, rows, removals, opened.removed, measuring, teacher);
    return then(points as ComparedPoint[], model);
  });
}

/**
 * Opens a model and finds the unpruned model's last states over the rows, which some of its views are compared with.
 * @param use gets what is left of the job
 * @throws CancelledError
 */
export async function withTeacher<T>(
  { checkpoint, changes }: Pick<OpenedModel, 'checkpoint' | 'changes'>,
  rows: TokenRows,
  views: number,
  compute: Omit<ModelOptions, 'changes'>,
  job: JobOptions,
  use: (model: Model, teacher: LastStates, measuring: JobOptions) => Promise<T>,
): Promise<T> {
  return withModel(checkpoint, { ...compute, changes }, async (model) => {
    const whole = changes.length > 0 ? await openModel(checkpoint, compute) : model;
    const [reading, measuring] = inPhases(job, [{ share: 1 }, { share: 1 + views / 2 }]);
    try {
      const teacher = await wholeStates(whole, rows, reading);
      try {
        return await use(model, teacher, measuring);
      } finally {
        await teacher.close();
      }
    } finally {
      if (whole !== model) await whole.close();
    }
  });
}
