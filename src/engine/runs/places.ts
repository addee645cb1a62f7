/**
 * Where the inputs of a run lie. A record that stays with its user (in the folder of runs, or where `--record` puts it)
 * says so, as seen from its own folder, so that it can be told later whether they have changed. The records inside models
 * and adapters, which are passed on, name no place.
 */
import { basename, dirname, isAbsolute, relative, resolve } from 'node:path';
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

/** A checkpoint may be named by its folder or by a file in it. */
const namesOf = (path: string): string[] => [basename(path), nameOfFolder(path), nameOfFolder(dirname(path))];

function textsIn(value: unknown): string[] {
  if (typeof value === 'string') return value === '' ? [] : [value];
  if (typeof value !== 'object' || value === null) return [];
  return Object.values(value).flatMap(textsIn);
}
