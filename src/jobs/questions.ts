/** How many questions the file of a task has. */
import { readFile } from 'node:fs/promises';
import type { TaskName } from '../engine/evaluate/tasks/catalogue';
import { findTask } from '../engine/evaluate/tasks/find';

/** A record a line. */
export async function questionsOfTask(name: TaskName, folder: string): Promise<number> {
  const { file } = await findTask(name, folder);
  const lines = (await readFile(file)).toString('latin1').split('\n');
  return Math.max(1, lines.filter((line) => line.trim() !== '').length);
}
