/**
 * Writes a new folder for a place. Large files are hard links where the disk is the same, so they take no room twice; small ones are
 * copies, so that a program that edits its config does not edit the export.
 */
import { lstat, mkdir, stat, symlink } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';
import { tryLink } from '../engine/files/link';
import { OutputFile } from '../engine/files/output-file';
import { claimTarget, nearestFolder, type Target } from '../engine/files/target';
import { type JobOptions, Work } from '../engine/progress';
import { copyWhole } from '../engine/write/copy-whole';
import type { Entry } from './additions';
import type { FolderChange, TreeFile } from './place';

/** From this size on a link is worth it. */
const LARGE_BYTES = 2 ** 20;

export interface WrittenTree {
  readonly target: Target;
  /** Folders above the new one that were made for it, the outermost first. */
  readonly made: readonly string[];
  readonly entries: readonly Entry[];
  /** Bytes that are linked, not copied. */
  readonly linked: number;
}

/**
 * Everything lies under the temporary name at the end; the caller commits it.
 * @param sources folders that must stay as they are
 * @throws UserError when the folder exists, lacks space or cannot be written; CancelledError
 */
export async function writeTree(
  { out, files }: FolderChange,
  sources: readonly string[],
  job: JobOptions,
): Promise<WrittenTree> {
  const nearest = await nearestFolder(dirname(out));
  const sameDisk = await deviceOf(nearest);
  const links = new Set<string>();
  for (const each of files) {
    if ('file' in each && each.bytes >= LARGE_BYTES && (await deviceOf(each.file)) === sameDisk) links.add(each.path);
  }
  const bytes = files.reduce((sum, each) => sum + ('file' in each && !links.has(each.path) ? each.bytes : 0), 0);
  const target = await claimTarget(out, sources, bytes);
  try {
    const work = new Work(job, Math.max(1, bytes), 'bytes', 'copying');
    let linked = 0;
    for (const each of files) {
      const path = join(target.temporary, ...each.path.split('/'));
      await mkdir(dirname(path), { recursive: true });
      linked += await put(each, path, links.has(each.path), work, job);
    }
    return { target, made: foldersBetween(nearest, out), entries: await entriesOf(files, target.temporary), linked };
  } catch (error) {
    await target.discard();
    throw error;
  }
}

/** @returns bytes that were linked */
async function put(
  each: TreeFile,
  path: string,
  isLinked: boolean,
  work: Work,
  { signal }: JobOptions,
): Promise<number> {
  work.check();
  if ('link' in each) {
    await symlink(each.link, path);
    return 0;
  }
  if ('text' in each) {
    await OutputFile.fill(path, (file) => file.handle.writeFile(each.text));
    return 0;
  }
  if (isLinked && (await tryLink(each.file, path))) return each.bytes;
  work.step(`copying ${each.path}`);
  await copyWhole(each.file, path, { signal }, (bytes) => work.advance(bytes));
  return 0;
}

const deviceOf = async (path: string): Promise<number> => (await stat(path)).dev;

/** The folders above `out` that are not there yet, below `nearest`. */
function foldersBetween(nearest: string, out: string): string[] {
  const parts = relative(nearest, dirname(out)).split(sep).filter(Boolean);
  return parts.map((_, at) => join(nearest, ...parts.slice(0, at + 1)));
}

/** What is written, so that only this is removed again. A rename changes none of it. */
function entriesOf(files: readonly TreeFile[], folder: string): Promise<Entry[]> {
  return Promise.all(
    files.map(async (each): Promise<Entry> => {
      if ('link' in each) return { path: each.path, link: each.link };
      const { size, mtimeMs, ino } = await lstat(join(folder, ...each.path.split('/')));
      return { path: each.path, bytes: size, modified: mtimeMs, inode: ino };
    }),
  );
}
