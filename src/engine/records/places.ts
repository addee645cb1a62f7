/**
 * Places of a run's inputs. A record that remains with its user (in the folder of runs, or written by `--record`)
 * stores them relative to its folder, so that changes can be detected later. Records inside models and adapters name no
 * places, because those are shared with others.
 */
import { realpath } from 'node:fs/promises';
import { basename, dirname, isAbsolute, relative, resolve } from 'node:path';
import { nameOfGguf } from '../checkpoint/gguf/name';
import { systemErrorCode } from '../errors';
import { isInside } from '../files/paths';
import { nameOfFolder, type RunInput } from './record';

/**
 * @param asked the request of the run; every text in it is checked for a path
 * @param folder of the record
 * @param from the base folder of relative paths in `asked`; without it they name no place
 * @returns the inputs, with a place if exactly one path matches
 */
export function withPlaces(inputs: readonly RunInput[], asked: unknown, folder: string, from?: string): RunInput[] {
  const named = textsIn(asked).filter((text) => from !== undefined || isAbsolute(text));
  const paths = [...new Set(named.map((text) => resolve(from ?? '', text)))];
  return inputs.map((input) => {
    const found = paths.filter((path) => namesOf(path).includes(input.name));
    return found.length === 1 ? { ...input, place: relative(folder, found[0]) } : input;
  });
}

/**
 * Resolves the place of an input. A record may come from another computer and name any path, so places are followed
 * only inside folders of the user's choice: the record's own, and those in `given`. Links to paths outside are not
 * followed either.
 * @param folder of the record
 */
export async function followPlace(
  place: string,
  folder: string,
  given: readonly string[],
): Promise<{ readonly path: string } | 'gone' | 'outside'> {
  const named = [homeOf(folder), ...given].map((root) => resolve(root));
  const real = await Promise.all(named.map((root) => realpath(root).catch(() => root)));
  const path = resolve(folder, place);
  // Checked before any system call, because on Windows a call can already contact another machine.
  if (![...named, ...real].some((root) => isInside(path, root))) return 'outside';
  try {
    const target = await realpath(path);
    return real.some((root) => isInside(target, root)) ? { path: target } : 'outside';
  } catch (error) {
    if (systemErrorCode(error) === undefined) throw error;
    return 'gone';
  }
}

/**
 * The folder that a record in `folder` belongs to: the workspace if `folder` is its folder of runs, otherwise `folder`.
 */
function homeOf(folder: string): string {
  const path = resolve(folder);
  const inWorkspace = basename(path) === 'runs' && basename(dirname(path)) === '.coppice';
  return inWorkspace ? dirname(dirname(path)) : path;
}

/** The path of a checkpoint is its folder, a file in it or a GGUF file. */
const namesOf = (path: string): string[] => [
  basename(path),
  nameOfGguf(path),
  nameOfFolder(path),
  nameOfFolder(dirname(path)),
];

/** All non-empty strings in a JSON value. */
export function textsIn(value: unknown): string[] {
  if (typeof value === 'string') return value === '' ? [] : [value];
  if (typeof value !== 'object' || value === null) return [];
  return Object.values(value).flatMap(textsIn);
}
