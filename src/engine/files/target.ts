/**
 * The folder that a checkpoint is written to. All is written into a temporary sibling, which one rename turns into the
 * output: whatever happens before, the output does not exist; afterwards it is complete.
 */
import { lstat, mkdir, open, realpath, rename, rm, rmdir, statfs } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { systemErrorCode, UserError } from '../errors';
import { option } from '../option-token';
import { removeStale, temporaryName } from './partial';
import { isInside } from './paths';
import { writeFailure } from './write-failure';

export interface Target {
  /** The output, absolute. It does not exist before `commit`. */
  readonly out: string;
  /** Where its files are written; on the same file system. */
  readonly temporary: string;
  /** Flushes the folder and renames it to `out`. */
  commit(): Promise<void>;
  /** Removes everything that was written. After `commit` it does nothing. */
  discard(): Promise<void>;
}

/**
 * Claims `out` for `bytes` bytes. `sources` are the folders that the checkpoint's files lie in.
 * @throws UserError when `out` exists, overlaps a source, lacks space, or cannot be written to.
 */
export async function claimTarget(out: string, sources: readonly string[], bytes: number): Promise<Target> {
  const target = resolve(out);
  const parent = dirname(target);
  try {
    await refuseOverlap(target, sources);
    await refuseExisting(target);
    const created = await mkdir(parent, { recursive: true });
    try {
      await removeStale(parent, basename(target));
      await requireSpace(target, bytes);
      const temporary = join(parent, temporaryName(basename(target)));
      await mkdir(temporary);
      return makeTarget(target, temporary, created);
    } catch (error) {
      await removeCreated(parent, created);
      throw error;
    }
  } catch (error) {
    throw writeFailure(error, target);
  }
}

/**
 * Looks whether `out` could be written, so that nobody computes for hours first.
 * @throws UserError as `claimTarget` does
 */
export async function checkTarget(out: string, sources: readonly string[]): Promise<void> {
  await (await claimTarget(out, sources, 0)).discard();
}

function makeTarget(out: string, temporary: string, created: string | undefined): Target {
  let committed = false;
  return {
    out,
    temporary,
    async commit() {
      try {
        await syncFolder(temporary);
        await refuseExisting(out);
        await rename(temporary, out);
        committed = true;
        await syncFolder(dirname(out));
      } catch (error) {
        throw writeFailure(error, out);
      }
    },
    async discard() {
      if (committed) return;
      await rm(temporary, { recursive: true, force: true });
      await removeCreated(dirname(out), created);
    },
  };
}

async function refuseOverlap(target: string, sources: readonly string[]): Promise<void> {
  const ancestor = await nearestFolder(dirname(target));
  const real = join(await realpath(ancestor), relative(ancestor, target));
  for (const source of sources) {
    const folder = await realpath(source);
    if (real === folder) {
      throw new UserError(
        `${target} cannot be the output`,
        'it is the source checkpoint',
        'Choose a folder that does not exist yet.',
      );
    }
    if (isInside(real, folder)) {
      throw new UserError(
        `${target} cannot be the output`,
        `it lies inside the source checkpoint ${folder}, into which nothing is ever written`,
        'Choose a folder beside it.',
      );
    }
    if (isInside(folder, real)) {
      throw new UserError(
        `${target} cannot be the output`,
        `the source checkpoint ${folder} lies inside it`,
        'Choose a folder that does not exist yet.',
      );
    }
  }
}

async function refuseExisting(target: string): Promise<void> {
  try {
    await lstat(target);
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return;
    throw error;
  }
  throw new UserError(
    `${target} exists already`,
    'nothing is ever overwritten',
    `Choose another ${option('out')}, or remove it first.`,
  );
}

/** `path` or the first folder above it that exists. */
async function nearestFolder(path: string): Promise<string> {
  for (let folder = path; ; folder = dirname(folder)) {
    try {
      await lstat(folder);
      return folder;
    } catch (error) {
      if (systemErrorCode(error) !== 'ENOENT' || dirname(folder) === folder) throw error;
    }
  }
}

async function requireSpace(target: string, bytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(dirname(target));
  const free = bavail * bsize;
  if (bytes <= free) return;
  throw new UserError(
    `${target} cannot be written`,
    `it needs ${bytes} bytes and the disk has ${free} free`,
    'Free some space or choose another disk.',
  );
}

/** Removes the folders that were created for the output, from `parent` up to `created`, as far as they are empty. */
async function removeCreated(parent: string, created: string | undefined): Promise<void> {
  if (created === undefined) return;
  for (let folder = parent; isInside(folder, created); folder = dirname(folder)) {
    try {
      await rmdir(folder);
    } catch {
      return;
    }
  }
}

/** Makes the names in a folder durable. Windows cannot open folders and needs no such flush. */
async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } catch (error) {
    // Some network file systems do not know the call.
    if (systemErrorCode(error) !== 'EINVAL' && systemErrorCode(error) !== 'ENOTSUP') throw error;
  } finally {
    await handle.close();
  }
}
