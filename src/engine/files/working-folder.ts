/** The folder beside an output in which a run keeps what it goes on from. */
import { lstat, mkdir } from 'node:fs/promises';
import { UserError } from '../errors';

/**
 * Makes it. A link of its name would lead the run into a folder of someone else, where it writes and removes files.
 * @throws UserError for a link; the system's error
 */
export async function makeWorkingFolder(folder: string): Promise<void> {
  if ((await lstat(folder).catch(() => undefined))?.isSymbolicLink()) {
    throw new UserError(`${folder} cannot be used`, 'it is a link, not a folder', 'Remove the link.');
  }
  await mkdir(folder, { recursive: true });
}
