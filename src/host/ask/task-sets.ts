/** Known task sets as choices of a download: what is fetched, what is there already, and how to get the others. Does not use VS Code. */
import { availableTasks } from '../../engine/evaluate/tasks/available';
import { TASK_NAMES, TASKS, type TaskName } from '../../engine/evaluate/tasks/catalogue';
import { SOURCES } from '../../engine/evaluate/tasks/sources';
import { UserError } from '../../engine/errors';
import { formatBytes } from '../../format/numbers';
import { l10n } from '../../l10n';
import type { PickChoice } from './steps';

/** Folders that may have data. */
export interface DataFolders {
  /** Where downloads go. */
  readonly own: string;
  /** Of the user, which Evaluate Tasks… offers itself. */
  readonly others: readonly string[];
  /** A folder for the user. */
  readonly nameOf: (folder: string) => string;
}

/** Sets of known bytes first, and what is there; then those that are got by hand say how. */
export async function setChoices({ own, others, nameOf }: DataFolders): Promise<PickChoice<TaskName>[]> {
  const fetched = await tasksIn(own);
  const found = new Map<TaskName, string>();
  for (const folder of others.toReversed()) for (const task of await tasksIn(folder)) found.set(task, folder);
  return TASK_NAMES.map((value) => {
    const { files, licence, byHand } = SOURCES[value];
    const label = TASKS[value].title;
    if (files.length > 0) {
      const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
      const hosts = [...new Set(files.map(({ url }) => new URL(url).host))];
      return { label, description: [formatBytes(bytes), ...hosts, licence].join(' · '), value };
    }
    if (fetched.includes(value)) return { label, description: l10n.t('there already'), value };
    const folder = found.get(value);
    if (folder !== undefined) {
      const refused = l10n.t('In {0}: go back, and select that folder.', nameOf(folder));
      return { label, value, refused, group: l10n.t('There already') };
    }
    const where = l10n.t('Put its file into the workspace, where it is found.');
    return { label, value, refused: `${where} ${byHand}`, group: l10n.t('By hand') };
  });
}

/** @returns an empty list for a folder without any */
export async function tasksIn(folder: string): Promise<TaskName[]> {
  try {
    return await availableTasks(folder);
  } catch (error) {
    if (error instanceof UserError) return [];
    throw error;
  }
}
