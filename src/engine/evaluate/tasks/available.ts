/** Which of the tasks a folder of data has. */
import { UserError } from '../../errors';
import { TASK_NAMES, type TaskName } from './catalogue';
import { findTask } from './find';

/** @throws UserError when it has none */
export async function availableTasks(folder: string): Promise<TaskName[]> {
  const there: TaskName[] = [];
  let missing: UserError | undefined;
  for (const name of TASK_NAMES) {
    try {
      await findTask(name, folder);
      there.push(name);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      missing ??= error;
    }
  }
  if (there.length === 0 && missing) throw missing;
  return there;
}
