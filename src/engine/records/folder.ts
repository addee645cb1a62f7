/** The folder of run records: files that sort by time, never inside a folder that belongs to others. */
import { randomBytes } from 'node:crypto';
import { access, constants, lstat, mkdir, realpath, writeFile } from 'node:fs/promises';
import { basename, dirname, join, resolve, sep } from 'node:path';
import { messageOf, UserError } from '../errors';
import { isInside } from '../files/paths';
import { type RunRecord, writeRecord } from './record';

/** Its default path in a workspace is ".coppice/runs". */
const OWN_FOLDER = '.coppice';

/** Writes `record` to a new file of the folder. @returns its path */
export async function keepRecord(folder: string, record: RunRecord): Promise<string> {
  const stamp = record.started.replace(/[-:]/g, '').replace(/\.\d+Z$/, 'Z'); // 20260401T093000Z
  const file = join(folder, `${stamp}-${record.kind}-${randomBytes(3).toString('hex')}.json`);
  await writeRecord(file, record);
  return file;
}

/**
 * Creates and returns the first usable folder of `folders`.
 * @param sources folders of the checkpoints that the run reads
 * @returns undefined when `folders` is empty
 * @throws UserError when none is usable
 */
export async function claimRecordFolder(
  folders: readonly string[],
  sources: readonly string[],
): Promise<string | undefined> {
  let why = '';
  for (const folder of folders.map((name) => resolve(name))) {
    const real = await realPlace(folder);
    const link = await linkInOwn(folder);
    if (link !== undefined) why = `${link} is a link, and records are kept only where their own folder really is`;
    else if (await insideAny(real, sources)) why = `${folder} is inside the checkpoint, and Coppice never writes there`;
    else if (isHubCache(real)) why = `${folder} is inside a Hugging Face cache, and Coppice never writes there`;
    else {
      try {
        await ignoreByGit(await mkdir(folder, { recursive: true }), folder);
        await access(folder, constants.W_OK);
        return folder;
      } catch (error) {
        why = `${folder} cannot be written to (${messageOf(error)})`;
      }
    }
  }
  if (why === '') return undefined;
  throw new UserError('The run could not write its record', why, 'Choose another folder for the records of runs.');
}

/** Makes a folder below ".coppice" that is not for a record: what a recipe has done. @throws the system's error */
export async function makeOwnFolder(folder: string): Promise<void> {
  await ignoreByGit(await mkdir(folder, { recursive: true }), folder);
}

/**
 * Excludes a new ".coppice" folder from the surrounding Git repository. An existing folder is not changed, so users who
 * want records in Git delete the file once.
 * @param first the topmost new folder; undefined if all existed
 * @param last the requested folder
 */
async function ignoreByGit(first: string | undefined, last: string): Promise<void> {
  if (first === undefined) return;
  for (let made = last; isInside(made, first); made = dirname(made)) {
    if (basename(made) === OWN_FOLDER) await writeFile(join(made, '.gitignore'), '*\n', { flag: 'wx' });
  }
}

/** A link at ".coppice" or below it: a repository may come with one, that leads anywhere. */
export async function linkInOwn(folder: string): Promise<string | undefined> {
  const [names, own] = [folder.split(sep), folder.split(sep).lastIndexOf(OWN_FOLDER)];
  for (let count = own + 1; own >= 0 && count <= names.length; count++) {
    const place = names.slice(0, count).join(sep);
    if ((await lstat(place).catch(() => undefined))?.isSymbolicLink()) return place;
  }
  return undefined;
}

async function insideAny(path: string, folders: readonly string[]): Promise<boolean> {
  for (const folder of folders) if (isInside(path, await realpath(folder))) return true;
  return false;
}

/** The path with links resolved, as far as it exists. */
async function realPlace(folder: string): Promise<string> {
  for (let existing = folder; ; existing = dirname(existing)) {
    try {
      await lstat(existing);
      return join(await realpath(existing), folder.slice(existing.length));
    } catch {
      if (dirname(existing) === existing) return folder;
    }
  }
}

/** Whether a part of the path is a repository of the Hugging Face cache: "models--org--name". */
function isHubCache(path: string): boolean {
  return path.split(/[/\\]/).some((part) => /^(models|datasets)--/.test(part));
}
