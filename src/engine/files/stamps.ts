/**
 * Detects that a checkpoint's files changed since it was opened, by their size, time and inode. The identity cannot
 * show this, because it covers only headers and sizes.
 */
import type { Stats } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { systemErrorCode } from '../errors';

export interface FileStamp {
  /** The checkpoint's name for the file. */
  readonly name: string;
  /** Absolute path, symbolic links resolved. */
  readonly file: string;
  readonly bytes: number;
  /** Time of the last write, in milliseconds. */
  readonly modified: number;
  readonly inode: number;
}

/** A file that changed since the checkpoint was opened. */
export interface FileChange {
  readonly name: string;
  /** "it became shorter" */
  readonly how: string;
  /** Some of the earlier bytes are missing or moved. */
  readonly lost: boolean;
}

export function stampOf(name: string, file: string, { size, mtimeMs, ino }: Stats): FileStamp {
  return { name, file, bytes: size, modified: mtimeMs, inode: ino };
}

/** The files that no longer match their stamps. */
export async function changedFiles(stamps: readonly FileStamp[]): Promise<FileChange[]> {
  const changes: FileChange[] = [];
  for (const then of stamps) {
    const now = await stat(then.file).catch((error: unknown) => {
      if (systemErrorCode(error) === undefined) throw error;
      return undefined;
    });
    const change = changeOf(then, now && stampOf(then.name, then.file, now));
    if (change) changes.push({ name: then.name, ...change });
  }
  return changes;
}

function changeOf(then: FileStamp, now: FileStamp | undefined): Omit<FileChange, 'name'> | undefined {
  if (!now) return { how: 'it was removed', lost: true };
  if (now.bytes < then.bytes) return { how: 'it became shorter', lost: true };
  if (now.inode !== then.inode) return { how: 'it was replaced by another file', lost: true };
  if (now.bytes > then.bytes) return { how: 'it became longer', lost: true };
  return now.modified === then.modified ? undefined : { how: 'it was written to', lost: false };
}

/**
 * One text for the current state of files and folders, to compare with an earlier one. It differs if a file was written
 * to, replaced or removed, also behind a symbolic link. It also differs if the entries of a folder, or the files among
 * them, changed.
 */
export async function stampsOf(paths: readonly string[]): Promise<string> {
  const inside = await Promise.all(paths.map((path) => entriesOf(path)));
  const all = paths.flatMap((path, i) => [path, ...inside[i]]);
  const found = await Promise.all(all.map((path) => stat(path).catch(() => undefined)));
  return JSON.stringify(found.map((stats, i) => [all[i], stats?.size, stats?.mtimeMs, stats?.ino]));
}

const entriesOf = async (path: string): Promise<string[]> =>
  (await readdir(path).catch(() => [])).map((name) => join(path, name));
