/**
 * A lock for one process at a time: a file that names the process. A killed process leaves it behind, so a later
 * process checks whether that process is still alive. If its number has been reused, the start time of the process
 * shows it.
 */
import { link, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { systemErrorCode, UserError } from '../../errors';
import { isRunning, ownMark } from '../../files/process-birth';
import { readSmallFile } from '../../files/regular-file';

/** Two numbers. */
const MAX_BYTES = 100;

/** Locks of this process. It may train into several outputs in turn, but not into one twice at the same time. */
const held = new Set<string>();

/**
 * Takes the lock `path`, also from a process that has ended.
 * @returns the number of the process that holds it; undefined when it was taken
 * @throws the system's error
 */
export async function takeLock(path: string): Promise<number | undefined> {
  if (held.has(path)) return process.pid;
  held.add(path);
  try {
    const owner = await takeFile(path);
    if (owner !== undefined) held.delete(path);
    return owner;
  } catch (error) {
    held.delete(path);
    throw error;
  }
}

export async function releaseLock(path: string): Promise<void> {
  if (held.delete(path)) await rm(path, { force: true });
}

/** The running process that holds the lock `path`; undefined when none does. @throws the system's error */
export async function lockOwner(path: string): Promise<number | undefined> {
  return held.has(path) ? process.pid : livingOwner(await contentOf(path));
}

/** Creates the file as a link and not by writing, so that no process sees it without content. */
async function takeFile(path: string): Promise<number | undefined> {
  const mine = `${path}.${process.pid}.tmp`;
  // Not through what is there: a link of this name would lead to another file.
  await rm(mine, { recursive: true, force: true });
  await writeFile(mine, `${process.pid} ${ownMark().birth ?? ''}`, { flag: 'wx' });
  try {
    for (;;) {
      try {
        await place(mine, path);
        return undefined;
      } catch (error) {
        if (systemErrorCode(error) !== 'EEXIST') throw error;
      }
      const seen = await contentOf(path);
      const owner = livingOwner(seen);
      if (owner !== undefined) return owner;
      await putAside(path, seen);
    }
  } finally {
    await rm(mine, { force: true });
  }
}

/** @throws the system's error, EEXIST when the file exists */
async function place(mine: string, path: string): Promise<void> {
  try {
    await link(mine, path);
  } catch (error) {
    if (systemErrorCode(error) === 'EEXIST') throw error;
    // Some file systems have no hard links.
    await writeFile(path, await readFile(mine), { flag: 'wx' });
  }
}

/** Removes the lock `seen`. If another process has replaced it in the meantime, that process's lock is put back. */
async function putAside(path: string, seen: string): Promise<void> {
  const aside = `${path}.${process.pid}.old.tmp`;
  try {
    await rename(path, aside);
    if ((await contentOf(aside)) !== seen) await place(aside, path);
  } catch (error) {
    if (!['ENOENT', 'EEXIST'].includes(systemErrorCode(error) ?? '')) throw error;
  }
  await rm(aside, { force: true });
}

async function contentOf(path: string): Promise<string> {
  try {
    return (await readSmallFile(path, MAX_BYTES)).toString('utf8');
  } catch (error) {
    if (error instanceof UserError && systemErrorCode(error.cause) === 'ENOENT') return '';
    throw error;
  }
}

function livingOwner(content: string): number | undefined {
  const [, digits, birth] = /^(\d{1,10}) (\S*)$/.exec(content) ?? [];
  if (digits === undefined) return undefined;
  const pid = Number(digits);
  return isRunning({ pid, ...(birth !== '' && { birth }) }) ? pid : undefined;
}
