/**
 * A folder of files that can be made again, within a limit: those that were not used for the longest time go first. A file
 * that a living process of this machine uses stays, so that the process can open it again by its name.
 */
import { rmSync } from 'node:fs';
import { readdir, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { removeStale, temporaryName } from './partial';

/** Files that are removed when they are no longer used, at the latest when the process ends. */
const passing = new Set<string>();

process.once('exit', () => {
  for (const file of passing) rmSync(file, { force: true });
});

/** Removes a file when the process ends, at the latest. @returns removes it now */
export function passingFile(file: string): () => Promise<void> {
  passing.add(file);
  return async () => {
    passing.delete(file);
    await rm(file, { force: true }).catch(() => undefined); // another process may have it open
  };
}

/**
 * Marks a file of the folder as used, by a sibling that belongs to this process, and notes the time.
 * @returns ends the use
 */
export async function useKept(folder: string, name: string): Promise<() => Promise<void>> {
  const marker = join(folder, temporaryName(name));
  const end = passingFile(marker);
  // A folder that cannot be written is not cleared either.
  await writeFile(marker, '').catch(() => undefined);
  const now = new Date();
  await utimes(join(folder, name), now, now).catch(() => undefined);
  return end;
}

interface Kept {
  readonly name: string;
  readonly bytes: number;
  readonly used: number;
}

/**
 * Removes files until those that are left have at most `limit` bytes.
 * @param names of the files that count, at most 32 characters
 * @returns bytes of those that are left
 */
export async function keepWithin(folder: string, limit: number, names: RegExp): Promise<number> {
  const kept: Kept[] = [];
  for (const name of await readdir(folder)) {
    if (!names.test(name)) continue;
    const stats = await stat(join(folder, name)).catch(() => undefined);
    if (stats?.isFile()) kept.push({ name, bytes: stats.size, used: stats.mtimeMs });
  }
  let bytes = kept.reduce((sum, file) => sum + file.bytes, 0);
  for (const file of kept.sort((a, b) => a.used - b.used)) {
    if (bytes <= limit) break;
    if (await isUsed(folder, file.name)) continue;
    const gone = await rm(join(folder, file.name)).then(
      () => true,
      () => false,
    );
    if (gone) bytes -= file.bytes;
  }
  return bytes;
}

/** Whether a living process marks the file, or is writing one of its name. */
async function isUsed(folder: string, name: string): Promise<boolean> {
  await removeStale(folder, name);
  const prefix = `.${name}-`;
  return (await readdir(folder)).some((entry) => entry.startsWith(prefix));
}
