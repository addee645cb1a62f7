/** What a run tells of the application's text that it was given. */
import { leftOutWords, readApplication, splitWords } from '../engine/application/read';
import type { JobOptions } from '../engine/progress';

/** How many records each split has, and which files were left out; nothing without a text. */
export async function applicationNotes(path: string | undefined, { signal }: JobOptions): Promise<string[]> {
  if (path === undefined) return [];
  const application = await readApplication(path, { signal });
  const { name, leftOut } = application;
  return [
    `${name} has ${splitWords(application)}`,
    ...(leftOut.length === 0 ? [] : [`${name}: ${leftOutWords(leftOut)}`]),
  ];
}
