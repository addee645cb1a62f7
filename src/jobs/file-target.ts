/** Checks the path of a file that a run writes at its end: its record, a report, a recipe. */
import type { Stats } from 'node:fs';
import { access, constants, lstat, realpath, stat } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve, sep } from 'node:path';
import { foldersOf } from '../engine/checkpoint/folders';
import { isGgufCheckpoint } from '../engine/checkpoint/gguf/name';
import type { Checkpoint } from '../engine/checkpoint/types';
import { systemErrorCode, UserError } from '../engine/errors';
import { checkTarget } from '../engine/files/target';
import { command, option } from '../engine/option-token';

/**
 * Refuses an unusable path before the run computes for hours.
 * @param what the file is: "the record"
 * @param source the checkpoint that the run reads, which is never written to
 * @param given all texts in the run's options; the run reads a file that one of them names
 * @param isOwn whether a file that is there may be replaced; without it any may, because its writer refuses by itself
 * @throws UserError
 */
export async function checkFileTarget(
  what: string,
  file: string,
  source: string | undefined,
  given: readonly string[] = [],
  isOwn?: (file: string) => Promise<boolean>,
): Promise<void> {
  const folder = dirname(resolve(file));
  const refuse = (why: string, cause?: unknown): UserError =>
    new UserError(`cannot write ${what} to ${file}`, why, 'Name a file in another folder.', { cause });
  try {
    await access(folder, constants.W_OK);
  } catch (error) {
    const missing = systemErrorCode(error) === 'ENOENT';
    throw refuse(`the folder ${folder} ${missing ? 'does not exist' : 'cannot be written to'}`, error);
  }
  const there = await statsOf(file);
  if (there?.isDirectory()) throw refuse('it is a folder');
  // A pipe without a reader blocks for ever, and a record replaces the file that is there, even a device.
  if (there?.isFile() === false) throw refuse('it is a pipe or a device, not a regular file');
  if (there && (await isAmong(there, given))) throw refuse('the run reads that file');
  if (there && there.size > 0 && isOwn && !(await isOwn(file))) {
    const why = `it is not ${what} as Coppice wrote it, and Coppice never overwrites what is not its own`;
    throw new UserError(`${file} is not replaced`, why, 'Name another file, or move that one.');
  }
  if (source !== undefined && (await statsOf(source))?.isDirectory()) {
    const inside = relative(await realpath(source), join(await realpath(folder), basename(file)));
    if (inside !== '..' && !inside.startsWith(`..${sep}`)) {
      throw refuse('it is inside the checkpoint, which Coppice never changes');
    }
  }
}

/** Refuses a file that is there, before the run computes for hours. @throws UserError */
export async function refuseExisting(file: string, action: string): Promise<void> {
  const there = await lstat(file).catch(() => undefined);
  if (there) throw new UserError(`${file} exists already`, 'Coppice never overwrites', action);
}

/**
 * Refuses an output before the work starts: a model in a GGUF file becomes a GGUF file, and one in a folder a folder.
 * @throws UserError for another one, and for one that could not be written
 */
export async function checkLikeSource(checkpoint: Checkpoint, out: string): Promise<void> {
  const isGguf = isGgufCheckpoint(checkpoint);
  if (isGguf !== /\.gguf$/i.test(out)) {
    throw new UserError(
      `${option('out', out)} does not suit the model`,
      isGguf ? 'a model in a GGUF file becomes a GGUF file' : 'a model in a folder becomes a folder',
      isGguf
        ? 'Give a name that ends in .gguf.'
        : `Give the name of a folder, and write other formats from it: ${command('export', 'FOLDER', option('format', 'gguf'))}.`,
    );
  }
  if (!isGguf) return checkTarget(out, foldersOf(checkpoint));
  await checkFileTarget('the GGUF file', out, checkpoint.path);
  await refuseExisting(out, 'Name another file.');
}

async function isAmong({ dev, ino }: Stats, paths: readonly string[]): Promise<boolean> {
  const all = await Promise.all(paths.map(statsOf));
  return all.some((stats) => stats?.dev === dev && stats.ino === ino);
}

/** Undefined if the path cannot be read; the job reports the reason. */
async function statsOf(path: string): Promise<Stats | undefined> {
  try {
    return await stat(path);
  } catch {
    return undefined;
  }
}
