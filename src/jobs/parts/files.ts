/** The files of partial records that a user names: files, and folders of them. */
import { readdir, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { UserError } from '../../engine/errors';
import { MAX_PARTS } from '../../engine/parts/part';
import { counted } from '../../format/words';

/**
 * Every file, and of every folder the files that end in ".json".
 * @param out the file of the whole record, which may lie among them from an earlier gather
 * @throws UserError when a folder has none, or there are more than a run can have
 */
export async function partFilesIn(given: readonly string[], out?: string): Promise<string[]> {
  const files: string[] = [];
  for (const path of given) {
    const found = await stat(path).catch(() => undefined); // what is missing, the reader names
    if (!found?.isDirectory()) {
      files.push(path);
      continue;
    }
    const inside = (await readdir(path))
      .filter((name) => name.endsWith('.json') && !name.startsWith('.'))
      .filter((name) => out === undefined || resolve(path, name) !== resolve(out))
      .sort();
    if (inside.length === 0) {
      throw new UserError(
        `${path} has no part`,
        'no file in it ends in .json',
        'Give the folder of the partial records.',
      );
    }
    files.push(...inside.map((name) => join(path, name)));
  }
  const most = 2 * MAX_PARTS; // some may be there twice
  if (files.length <= most) return files;
  throw new UserError(
    'There are too many files',
    `${counted(files.length, 'file')} are given, and a run has at most ${MAX_PARTS} parts`,
    'Give the parts of one run.',
  );
}
