/** Whether something is at a path, and the refusal of such a path. */
import { lstat } from 'node:fs/promises';
import { systemErrorCode, UserError } from '../errors';

/** Whether there is something of this name, even a broken link. */
export const isThere = (path: string): Promise<boolean> =>
  lstat(path).then(
    () => true,
    () => false,
  );

/** @throws UserError if something is there, even a broken link; the system's error if that cannot be known */
export async function refuseExisting(path: string, action: string, why = 'Coppice never overwrites'): Promise<void> {
  try {
    await lstat(path);
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return;
    throw error;
  }
  throw new UserError(`${path} exists already`, why, action);
}
