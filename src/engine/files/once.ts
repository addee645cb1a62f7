/** Files that several processes may write at the same time, and that the first of them decides. */
import { link, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { systemErrorCode } from '../errors';
import { cannotWrite } from '../system-failure';
import { namesIn } from './names';
import { OutputFile } from './output-file';
import { temporaryName } from './partial';

/**
 * Writes a file that is complete or not there. One that is there already stays: what it says counts.
 * @throws UserError
 */
export async function writeOnce(path: string, fill: (file: OutputFile) => Promise<unknown>): Promise<void> {
  const temporary = join(dirname(path), temporaryName(basename(path)));
  try {
    await OutputFile.fill(temporary, fill);
    await link(temporary, path).catch(async (error: unknown) => {
      if (systemErrorCode(error) === 'EEXIST') return;
      // A disk without links: two that come at the same moment would say the same.
      if (!(await namesIn(dirname(path))).includes(basename(path))) await rename(temporary, path);
    });
  } catch (error) {
    throw cannotWrite(path, error);
  } finally {
    await rm(temporary, { force: true }).catch(() => undefined); // it may have its name
  }
}
