/**
 * Where the record of a run may go. `--record FILE` names the place; without it no record is written, except that
 * `prune` always puts one into the model that it writes.
 */
import { access, constants, realpath, stat } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve, sep } from 'node:path';
import { systemErrorCode, UserError } from '../engine/errors';

/**
 * Refuses a place for a file that will be written at the end, before hours are spent on the run.
 * @param what the file is: "the record"
 * @param source the checkpoint that the run reads, which is never written to
 * @throws UserError
 */
export async function checkFileTarget(what: string, file: string, source: string | undefined): Promise<void> {
  const folder = dirname(resolve(file));
  const refuse = (why: string, cause?: unknown): UserError =>
    new UserError(`cannot write ${what} to ${file}`, why, 'Name a file in another folder.', { cause });
  try {
    await access(folder, constants.W_OK);
  } catch (error) {
    const missing = systemErrorCode(error) === 'ENOENT';
    throw refuse(`the folder ${folder} ${missing ? 'does not exist' : 'cannot be written to'}`, error);
  }
  if (await isFolder(file)) throw refuse('it is a folder');
  if (source !== undefined && (await isFolder(source))) {
    const inside = relative(await realpath(source), join(await realpath(folder), basename(file)));
    if (inside !== '..' && !inside.startsWith(`..${sep}`)) {
      throw refuse('it lies inside the checkpoint, which is never written to');
    }
  }
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch {
    return false; // whoever reads it says what is wrong
  }
}
