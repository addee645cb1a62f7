/** The accuracy of every point of a curve, in one run of the job `tasks` over the same items. */
import { reportedOf } from '../../engine/evaluate/tasks/accuracy';
import type { CurvePoint } from '../../engine/evaluate/curve';
import type { JobOptions } from '../../engine/progress';
import type { PairedDifference } from '../../engine/evaluate/tasks/results';
import type { OptionsFor } from '../kinds';
import type { JobContext } from '../run';

/** A point with what was answered, where it was asked. */
export interface AnsweredPoint extends CurvePoint {
  readonly accuracy?: number;
  readonly difference?: PairedDifference;
  readonly tasks?: readonly { readonly name: string; readonly accuracy: number }[];
}

/** @throws UserError when questions cannot be used; CancelledError */
export async function answeredPoints(
  points: readonly CurvePoint[],
  options: OptionsFor<'curve'>,
  { run }: Pick<JobContext, 'run'>,
  job: JobOptions,
): Promise<AnsweredPoint[]> {
  const { checkpoint, heal, adapter, otherBase, remove = [], data, tasks, own, limit, bos } = options;
  const { device, threads, memory, precision } = options;
  const columns = points.map(({ count, removed }) => {
    const gone = [...remove, ...removed];
    return {
      label: `${count} removed`,
      checkpoint,
      heal,
      adapter,
      otherBase,
      ...(gone.length > 0 && { remove: gone }),
    };
  });
  const { result } = await run(
    'tasks',
    { columns, data, tasks, own, limit, bos, precision, device, threads, memory },
    { job },
  );
  const models = 'models' in result ? result.models : [result];
  const differences = 'models' in result ? result.differences : [];
  return points.map((point, i) => ({
    ...point,
    accuracy: models[i].average!, // tasks were asked
    ...(i > 0 && { difference: paired(differences[i - 1].average!) }),
    tasks: models[i].tasks.map((task) => ({ name: task.name, accuracy: reportedOf(task) })),
  }));
}

const paired = ({ difference, interval }: PairedDifference): PairedDifference => ({ difference, interval });
