/** Writes a file that is complete or not there: into a temporary sibling, flushed and renamed. */
import { rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { JobOptions } from '../progress';
import { cannotWrite } from '../system-failure';
import { copyRanges } from './copy';
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

/** Copies a file as it is. @throws UserError with the path, when it cannot be read or written; CancelledError */
export async function copyWhole(from: string, to: string, { signal }: JobOptions): Promise<void> {
  const { size } = await stat(from);
  await OutputFile.fill(to, (file) => copyRanges(file, 0, [{ file: from, offset: 0, bytes: size }], { signal }));
}
