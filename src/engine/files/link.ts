/** Hard links: a second name for the same bytes takes no space. */
import { link } from 'node:fs/promises';
import { systemErrorCode } from '../errors';

/**
 * Gives a file a second name.
 * @returns false where that cannot be: on another disk, on a file system without hard links, for a file of another user
 */
export async function tryLink(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if (systemErrorCode(error) === undefined) throw error;
    return false;
  }
}
