/**
 * One process at a time: a file that says which one. It is left behind by a process that is killed, so whoever finds it
 * looks whether that process still lives; a number that another process has got since is told by when that one began.
 */
import { link, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { systemErrorCode, UserError } from '../../errors';
import { readSmallFile } from '../../files/regular-file';

/** Two numbers. */
const MAX_BYTES = 100;

const DEAD = 'dead';

/** Owners in this process, which may train into several places one after the other, but not into one twice at a time. */
const held = new Set<string>();

/**
 * Takes the lock `path`, also from a process that is gone.
 * @returns the number of the process that has it; undefined when it was taken
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

/** The living process that has the lock `path`; undefined when none has. @throws the system's error */
export async function lockOwner(path: string): Promise<number | undefined> {
  return held.has(path) ? process.pid : livingOwner(await contentOf(path));
}

/** Linked, not written, into its place: so it is never seen without its content. */
async function takeFile(path: string): Promise<number | undefined> {
  const mine = `${path}.${process.pid}.tmp`;
  await writeFile(mine, `${process.pid} ${(await birthOf(process.pid)) ?? ''}`);
  try {
    for (;;) {
      try {
        await place(mine, path);
        return undefined;
      } catch (error) {
        if (systemErrorCode(error) !== 'EEXIST') throw error;
      }
      const seen = await contentOf(path);
      const owner = await livingOwner(seen);
      if (owner !== undefined) return owner;
      await putAside(path, seen);
    }
  } finally {
    await rm(mine, { force: true });
  }
}

/** @throws the system's error, EEXIST where there is one already */
async function place(mine: string, path: string): Promise<void> {
  try {
    await link(mine, path);
  } catch (error) {
    if (systemErrorCode(error) === 'EEXIST') throw error;
    // Some file systems have no links.
    await writeFile(path, await readFile(mine), { flag: 'wx' });
  }
}

/** Takes the lock `seen` away. Another process may have done so, and have put its own in the place: that one goes back. */
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

async function livingOwner(content: string): Promise<number | undefined> {
  const [, digits, birth] = /^(\d{1,10}) (\S*)$/.exec(content) ?? [];
  if (digits === undefined) return undefined;
  const pid = Number(digits);
  if (pid === 0 || !answers(pid)) return undefined;
  const now = await birthOf(pid);
  const same = now === undefined || birth === '' || now === birth;
  return same && now !== DEAD ? pid : undefined;
}

function answers(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return systemErrorCode(error) === 'EPERM';
  }
}

/** When a process began, on Linux: ticks since the start of the machine; or that it is dead, and not buried yet. */
async function birthOf(pid: number): Promise<string | undefined> {
  if (process.platform !== 'linux') return undefined;
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  // The name, in parentheses, may hold anything; the state comes third, the beginning 22nd.
  const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ');
  if (fields === undefined) return undefined;
  return fields[0] === 'Z' || fields[0] === 'X' ? DEAD : fields[19];
}
