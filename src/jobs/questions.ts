/** How much there is to answer in files of questions. */
import { readFile } from 'node:fs/promises';
import type { TaskName } from '../engine/evaluate/tasks/catalogue';
import { findTask } from '../engine/evaluate/tasks/find';

/** Bytes of text for each token; what is around the texts in JSON counts as text. */
const BYTES_A_TOKEN = 5;

export interface Questions {
  readonly items: number;
  /** Tokens that a model reads for them, roughly. */
  readonly tokens: number;
}

/** Questions of a task's file: a record a line. */
export async function questionsOfTask(name: TaskName, folder: string): Promise<Questions> {
  const { file } = await findTask(name, folder);
  const content = await readFile(file);
  const items = content
    .toString('latin1')
    .split('\n')
    .filter((line) => line.trim() !== '').length;
  return { items: Math.max(1, items), tokens: content.length / BYTES_A_TOKEN };
}

/** Questions of the user's own file; as many as its list has. */
export async function questionsOfFile(file: string): Promise<Questions> {
  const content = await readFile(file, 'utf8');
  const items = content.match(/"(answer|expected)"\s*:/g)?.length ?? 1;
  return { items, tokens: content.length / BYTES_A_TOKEN };
}
