/** Writes a file that is complete or not there: into a temporary sibling, flushed and renamed. */
import { rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { cannotWrite } from '../system-failure';
import { OutputFile } from './output-file';
import { temporaryName } from './partial';

/** Replaces a file of this name. @throws UserError */
export async function writeWhole(path: string, text: string): Promise<void> {
  const temporary = join(dirname(path), temporaryName(basename(path)));
  try {
    await OutputFile.fill(temporary, (file) => file.handle.writeFile(text));
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw cannotWrite(path, error);
  }
}
