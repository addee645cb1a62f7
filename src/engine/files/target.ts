/**
 * The folder that a checkpoint is written to, or a single file. Coppice writes everything under a temporary name beside
 * it and renames that at the end. Before the rename the output does not exist; afterwards it is complete.
 */
import { lstat, mkdir, open, realpath, rename, rm, rmdir, statfs } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { systemErrorCode, UserError } from '../errors';
import { command, option, type OptionName } from '../option-token';
import { refuseExisting } from './existing';
import { removeStale, temporaryName } from './partial';
import { isInside } from './paths';
import { writeFailure } from './write-failure';

export interface Target {
  /** The output, absolute. It does not exist before `commit`. */
  readonly out: string;
  /** The temporary folder for its files, or the temporary name of the single file; on the same file system. */
  readonly temporary: string;
  /** Flushes the folder and renames it to `out`. A single file is flushed already. */
  commit(): Promise<void>;
  /** Removes all written files. Does nothing after `commit`. */
  discard(): Promise<void>;
}

/**
 * Claims `out` for `bytes` bytes. `sources` are the folders of the checkpoint's files.
 * @param name the option that names the folder, for messages
 * @throws UserError when `out` exists, overlaps a source, lacks space, or cannot be written to.
 */
export async function claimTarget(
  out: string,
  sources: readonly string[],
  bytes: number,
  name: OptionName = 'out',
): Promise<Target> {
  return claim(out, sources, bytes, { name, isFolder: true });
}

/**
 * The same for a single file, which the caller creates under the temporary name and flushes.
 * @param name the option that names the file, for messages
 */
export async function claimFile(
  file: string,
  sources: readonly string[],
  bytes: number,
  name: OptionName,
): Promise<Target> {
  return claim(file, sources, bytes, { name, isFolder: false });
}

/**
 * The same for an output that is looked at before it appears: it is written to `temporary`, which has its name in a folder
 * of its own, does not exist yet, and whose writer claims it in turn. Everything in that folder is removed at the end.
 */
export async function claimStage(out: string, sources: readonly string[]): Promise<Target> {
  const stage = await claim(out, sources, 0, STAGE);
  try {
    await mkdir(stage.temporary);
  } catch (error) {
    await stage.discard();
    throw writeFailure(error, stage.out);
  }
  const temporary = join(stage.temporary, basename(stage.out));
  let committed = false;
  return {
    out: stage.out,
    temporary,
    async commit() {
      try {
        await refuseExisting(stage.out, another(STAGE));
        await rename(temporary, stage.out);
        committed = true;
        await syncFolder(dirname(stage.out));
      } catch (error) {
        throw writeFailure(error, stage.out);
      }
      await rm(stage.temporary, { recursive: true, force: true }).catch(() => undefined); // a later attempt removes it
    },
    async discard() {
      if (!committed) await stage.discard();
    },
  };
}

/** What is claimed, and the option that names it. */
interface Kind {
  readonly name: OptionName;
  readonly isFolder: boolean;
}

/** The output may be a file or a folder; its writer knows. */
const STAGE: Kind = { name: 'out', isFolder: false };

async function claim(out: string, sources: readonly string[], bytes: number, kind: Kind): Promise<Target> {
  const target = resolve(out);
  const parent = dirname(target);
  try {
    if (kind.isFolder && /\.(gguf|onnx|safetensors)$/i.test(target)) throw nameOfFile(target);
    await refuseOverlap(target, sources, kind);
    await refuseExisting(target, another(kind));
    const created = await mkdir(parent, { recursive: true });
    try {
      await removeStale(parent, basename(target));
      await requireSpace(target, bytes);
      const temporary = join(parent, temporaryName(basename(target)));
      if (kind.isFolder) await mkdir(temporary);
      return makeTarget(target, temporary, created, kind);
    } catch (error) {
      await removeCreated(parent, created);
      throw error;
    }
  } catch (error) {
    throw writeFailure(error, target, kind.name);
  }
}

/** A folder of this name would be taken for a model by every program. */
const nameOfFile = (target: string): UserError =>
  new UserError(
    `${target} cannot be the output`,
    'its name is that of a file, and a checkpoint is a folder',
    `Leave out the end of the name. To write one file, use ${command('export')}.`,
  );

/**
 * Checks that `out` can be written, before a job computes for hours.
 * @throws UserError as `claimTarget` does
 */
export async function checkTarget(out: string, sources: readonly string[]): Promise<void> {
  await (await claimTarget(out, sources, 0)).discard();
}

function makeTarget(out: string, temporary: string, created: string | undefined, kind: Kind): Target {
  let committed = false;
  return {
    out,
    temporary,
    async commit() {
      try {
        if (kind.isFolder) await syncFolder(temporary);
        await refuseExisting(out, another(kind));
        await rename(temporary, out);
        committed = true;
        await syncFolder(dirname(out));
      } catch (error) {
        throw writeFailure(error, out, kind.name);
      }
    },
    async discard() {
      if (committed) return;
      await rm(temporary, { recursive: true, force: true });
      await removeCreated(dirname(out), created);
    },
  };
}

async function refuseOverlap(target: string, sources: readonly string[], { isFolder }: Kind): Promise<void> {
  const beside = isFolder ? 'Choose a folder beside it.' : 'Choose a place beside it.';
  const unused = isFolder ? 'Choose a folder that does not exist yet.' : 'Choose a file that does not exist yet.';
  const ancestor = await nearestFolder(dirname(target));
  const real = join(await realpath(ancestor), relative(ancestor, target));
  for (const source of sources) {
    const folder = await realpath(source);
    if (real === folder) {
      throw new UserError(`${target} cannot be the output`, 'it is the source checkpoint', unused);
    }
    if (isInside(real, folder)) {
      throw new UserError(
        `${target} cannot be the output`,
        `it is inside the source checkpoint ${folder}, and Coppice never writes there`,
        beside,
      );
    }
    if (isInside(folder, real)) {
      throw new UserError(`${target} cannot be the output`, `the source checkpoint ${folder} is inside it`, unused);
    }
  }
}

const another = ({ name }: Kind): string => `Choose another ${option(name)}, or remove it first.`;

/** `path` or the first folder above it that exists. */
export async function nearestFolder(path: string): Promise<string> {
  for (let folder = path; ; folder = dirname(folder)) {
    try {
      await lstat(folder);
      return folder;
    } catch (error) {
      if (systemErrorCode(error) !== 'ENOENT' || dirname(folder) === folder) throw error;
    }
  }
}

/** @throws UserError where the disk of an output has less room; its folder exists */
export async function requireSpace(target: string, bytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(dirname(target));
  const free = bavail * bsize;
  if (bytes <= free) return;
  throw new UserError(
    `${target} cannot be written`,
    `it needs ${bytes} bytes and the disk has ${free} free`,
    'Free some space or choose another disk.',
  );
}

/** Removes the empty folders that were created for the output, from `parent` up to `created`. */
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

/** Makes the names in a folder durable. Windows cannot open folders and does not need this flush. */
export async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } catch (error) {
    // Some network file systems do not support the call.
    if (systemErrorCode(error) !== 'EINVAL' && systemErrorCode(error) !== 'ENOTSUP') throw error;
  } finally {
    await handle.close();
  }
}
