/** Tasks that a job of another kind measures, as of the job `tasks`. */
import { TASK_NAMES } from '../../engine/evaluate/tasks/catalogue';
import { l10n } from '../../l10n';
import { choice, file, folder, list, whole } from '../option';

/** @param when the options apply: "--min-accuracy" */
export const measuredTasks = (when: string) => ({
  taskData: folder(`${when}: folder with the files of the tasks`, { noun: () => l10n.t('a folder of task data') }),
  tasks: list(choice(TASK_NAMES, 'a task'), `${when}: some of ${TASK_NAMES.join(', ')} (default: all that are there)`, {
    expected: `names of tasks separated by commas: ${TASK_NAMES.join(', ')}`,
  }),
  own: list(file('a file'), `${when}: a JSON file of your own questions; may be given several times`, {
    repeated: true,
    noun: () => l10n.t('a file of questions'),
  }),
});

/** A measurement of hours goes on where it was. */
export const answers = file('keep answers in this file as they are found; a run that was stopped goes on from it', {
  writes: true,
  resumesFrom: true,
  noun: () => l10n.t('a file for answers'),
});

/** Items of each task. */
export const taskLimit = (when: string) =>
  whole(`${when}: take at most n items of each task`, { noun: () => l10n.t('number of items') });
