/** The unpruned model as the teacher of a sweep: its last hidden states, computed once. */
import { inPhases, type JobOptions, labelled } from '../progress';
import type { TokenRows } from '../model/forward';
import { LastStates } from '../model/last-states';
import type { Model } from '../model/model';
import { fullView, stepsOf } from '../model/view';

/**
 * Computes the last states of the whole teacher, and hands them to `use`.
 * @param teacher the model itself, or the one without its adapter
 * @param rest cost of `use`, in applications of a block for each row
 * @throws UserError when a temporary file is needed and cannot be written; CancelledError
 */
export async function withTeacher<T>(
  teacher: Model,
  rows: TokenRows,
  rest: readonly number[],
  job: JobOptions,
  use: (states: LastStates, phases: readonly JobOptions[]) => Promise<T>,
): Promise<T> {
  const steps = stepsOf(fullView(teacher.architecture.layers.length));
  const [first, ...phases] = inPhases(
    job,
    [steps.length, ...rest].map((share) => ({ share })),
  );
  const named = labelled(first, 'the original');
  const states = await LastStates.compute(teacher, rows, steps, teacher.memory / 2, named);
  try {
    return await use(states, phases);
  } finally {
    await states.close();
  }
}
