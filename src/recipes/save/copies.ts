/** Where copies of bundled texts go that a saved recipe reads: into a folder of its own, so that the user's texts stay theirs. Pure. */
import { basename, dirname, extname, join } from 'node:path';
import { isInside } from '../../engine/files/paths';
import { nameOfRecipe } from './places';

/** "model.coppice" beside model.coppice.json. Lists of the user's texts pass over such folders. */
export const textsFolder = (recipe: string): string => join(dirname(recipe), `${nameOfRecipe(recipe)}.coppice`);

/**
 * Places of copies by what is copied.
 * @param reads absolute paths of what the recipe reads
 * @param installation the folder of the program, whose name changes with each version
 */
export function copyPlaces(
  reads: readonly string[],
  installation: string,
  recipe: string,
): ReadonlyMap<string, string> {
  const places = new Map<string, string>();
  const taken = new Set<string>();
  for (const from of reads.filter((path) => isInside(path, installation))) {
    const end = extname(from);
    let name = basename(from);
    for (let n = 2; taken.has(name); n++) name = `${basename(from, end)}-${n}${end}`;
    taken.add(name);
    places.set(from, join(textsFolder(recipe), name));
  }
  return places;
}
