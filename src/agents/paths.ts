/**
 * Which paths an agent may use: those inside some folders, its roots. What a link points to counts, not where the link
 * is. Nothing is written into a checkpoint.
 */
import { lstat, readdir, realpath } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { systemErrorCode, UserError } from '../engine/errors';
import { isInside } from '../engine/files/paths';
import type { PathGuard } from './tool';

/** @param roots absolute folders; relative paths start at the first */
export function guardedPaths(roots: readonly string[]): PathGuard {
  return {
    roots,
    read: async (path) => (await placeOf(path, roots)).path,
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

interface Place {
  /** Absolute, with links as they are: names come from it. */
  readonly path: string;
  /** With links followed. */
  readonly real: string;
}

/** @throws UserError outside the roots */
async function placeOf(path: string, roots: readonly string[]): Promise<Place> {
  const [first] = roots;
  if (first === undefined) throw outside(path, roots);
  const absolute = resolve(first, path);
  const real = await followed(absolute);
  if (real === undefined) throw outside(path, roots);
  for (const root of roots) {
    const folder = await followed(resolve(root));
    if (folder !== undefined && isInside(real, folder)) return { path: absolute, real };
  }
  throw outside(path, roots);
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
