/**
 * Which paths an agent may use: those inside some folders, its roots. What a link points to counts, not where the link
 * is, also for the files of a folder. Nothing is written into a checkpoint.
 */
import { lstat, readdir, realpath, stat } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { systemErrorCode, UserError } from '../engine/errors';
import { isInside } from '../engine/files/paths';
import { belongsTo } from '../recipes/content';
import type { PathGuard } from './tool';

/** @param roots absolute folders; relative paths start at the first */
export function guardedPaths(roots: readonly string[]): PathGuard {
  return {
    roots,
    read: async (path) => {
      const place = await placeOf(path, roots);
      await refuseWaysOut(path, place.real, roots);
      return place.path;
    },
    write: async (path) => {
      const place = await placeOf(path, roots);
      // What exists already is refused by its writer, which says so.
      const source = await checkpointAround(dirname(place.real));
      if (source === undefined) return place.path;
      throw new UserError(
        `${path} cannot be written`,
        `the folder ${source} has a checkpoint, and Coppice never writes there`,
        'Choose a path beside that folder.',
      );
    },
  };
}

interface RootedPath {
  /** Absolute, with links as they are: names come from it. */
  readonly path: string;
  /** With links followed. */
  readonly real: string;
}

/** @throws UserError outside the roots */
async function placeOf(path: string, roots: readonly string[]): Promise<RootedPath> {
  const [first] = roots;
  if (first === undefined) throw outside(path, roots);
  const absolute = resolve(first, path);
  const real = await followed(absolute);
  if (real !== undefined && (await isOpen(real, roots))) return { path: absolute, real };
  throw outside(path, roots);
}

/** @param real with links followed */
async function isOpen(real: string, roots: readonly string[]): Promise<boolean> {
  for (const root of roots) {
    const folder = await followed(resolve(root));
    if (folder !== undefined && isInside(real, folder)) return true;
  }
  return false;
}

/** Jobs read files of a folder, and of folders in it. */
const DEPTH = 2;

/**
 * Refuses a folder whose files are elsewhere: a job that reads the folder opens them. So are files beside a checkpoint
 * that is named by one of its files.
 * @throws UserError
 */
async function refuseWaysOut(path: string, real: string, roots: readonly string[]): Promise<void> {
  const stats = await stat(real).catch(() => undefined); // what is not there is said by its reader
  if (stats?.isDirectory()) return refuseLinks(path, real, roots, DEPTH);
  if (stats?.isFile() && /\.(safetensors|gguf|json)$/i.test(real)) {
    return refuseLinks(path, dirname(real), roots, 1, belongsTo(basename(real)));
  }
}

async function refuseLinks(
  path: string,
  folder: string,
  roots: readonly string[],
  depth: number,
  names = /^[^.]/,
): Promise<void> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  for (const entry of entries.filter(({ name }) => names.test(name))) {
    const place = join(folder, entry.name);
    if (entry.isSymbolicLink() && !(await leadsToOpen(place, roots))) {
      throw new UserError(
        `${path} cannot be used`,
        `${place} is a link that leads outside the folders that are open to agents`,
        'Put the file itself there, or ask the user to open the folder of its target too.',
      );
    }
    if (entry.isDirectory() && depth > 1) await refuseLinks(path, place, roots, depth - 1);
  }
}

/** A link to nothing leads nowhere. Files of Hugging Face's cache are links to its own blobs. */
async function leadsToOpen(link: string, roots: readonly string[]): Promise<boolean> {
  const target = await realpath(link).catch(() => undefined);
  if (target === undefined || (await isOpen(target, roots))) return true;
  const folder = dirname(link);
  const isSnapshot = /[/\\]models--[^/\\]+[/\\]snapshots[/\\][^/\\]+$/.test(folder);
  return isSnapshot && isInside(target, join(dirname(dirname(folder)), 'blobs'));
}

function outside(path: string, roots: readonly string[]): UserError {
  return new UserError(
    `${path} cannot be used`,
    roots.length === 0 ? 'no folder is open to agents' : `it is outside the folders that are open to agents`,
    roots.length === 0 ? 'Ask the user to open a folder.' : `Use a path inside ${roots.join(' or ')}.`,
  );
}

/** The path with links followed, as far as it exists; undefined for a link that points nowhere, which may become anything. */
async function followed(path: string): Promise<string | undefined> {
  for (let existing = path; ; existing = dirname(existing)) {
    try {
      await lstat(existing);
    } catch (error) {
      if (systemErrorCode(error) === undefined) return undefined; // a name that no system has
      if (dirname(existing) === existing) return undefined;
      continue;
    }
    const real = await realpath(existing).catch(() => undefined);
    return real === undefined ? undefined : join(real, relative(existing, path));
  }
}

/** The folder of a checkpoint that a path is in or is, if any. */
async function checkpointAround(path: string): Promise<string | undefined> {
  for (let folder = path; ; folder = dirname(folder)) {
    const names = await readdir(folder).catch((): string[] => []);
    if (names.includes('config.json') && names.some((name) => name.endsWith('.safetensors'))) return folder;
    if (dirname(folder) === folder) return undefined;
  }
}
