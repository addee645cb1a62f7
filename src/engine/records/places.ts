/**
 * Where the inputs of a run lie. A record that stays with its user (in the folder of runs, or where `--record` puts it)
 * says so, as seen from its own folder, so that it can be told later whether they have changed. The records inside models
 * and adapters, which are passed on, name no place.
 */
import { realpath } from 'node:fs/promises';
import { basename, dirname, isAbsolute, relative, resolve } from 'node:path';
import { systemErrorCode } from '../errors';
import { isInside } from '../files/paths';
import { nameOfFolder, type RunInput } from './record';

/**
 * @param asked whatever the run was asked to do: every text in it that names a path is looked at
 * @param folder of the record
 * @param from the folder that the relative paths of `asked` begin at; without it none of them names a place
 * @returns the inputs, with the places of those that one path alone can be meant by
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
 * Where the place of an input leads. A record may come from elsewhere and name any path, so its places are followed only
 * below folders that are the user's choice: the one that the record belongs to, and those that are `given`. A link that
 * leads out of them is not followed either.
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
  // Before the system is asked for it: on Windows that alone may speak to another machine.
  if (![...named, ...real].some((root) => isInside(path, root))) return 'outside';
  try {
    const target = await realpath(path);
    return real.some((root) => isInside(target, root)) ? { path: target } : 'outside';
  } catch (error) {
    if (systemErrorCode(error) === undefined) throw error;
    return 'gone';
  }
}

/** What a record in `folder` belongs to: a workspace, when that is its folder of runs; else the folder. */
function homeOf(folder: string): string {
  const path = resolve(folder);
  const inWorkspace = basename(path) === 'runs' && basename(dirname(path)) === '.coppice';
  return inWorkspace ? dirname(dirname(path)) : path;
}

/** A checkpoint may be named by its folder or by a file in it. */
const namesOf = (path: string): string[] => [basename(path), nameOfFolder(path), nameOfFolder(dirname(path))];

/** Every text in a value of JSON that is not empty. */
export function textsIn(value: unknown): string[] {
  if (typeof value === 'string') return value === '' ? [] : [value];
  if (typeof value !== 'object' || value === null) return [];
  return Object.values(value).flatMap(textsIn);
}
