/** Names in a folder that may not be there. */
import { readdir } from 'node:fs/promises';
import { systemErrorCode } from '../errors';

/** Nothing where there is no folder that can be read. */
export async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (systemErrorCode(error) === undefined) throw error;
    return [];
  }
}
