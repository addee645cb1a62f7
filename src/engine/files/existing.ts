/** Refuses a path where something is already. */
import { lstat } from 'node:fs/promises';
import { systemErrorCode, UserError } from '../errors';

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
