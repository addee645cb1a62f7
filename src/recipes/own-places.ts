/**
 * The folders in which a recipe may write without asking who wrote what is there: the folder of its state, and one for
 * each step. They come from Coppice alone, which leaves a marker in them, and no link leads to them or out of them.
 */
import { lstat, mkdir, readdir, realpath } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve, sep } from 'node:path';
import { UserError } from '../engine/errors';
import { isInside } from '../engine/files/paths';
import { writeWhole } from '../engine/files/whole-file';
import type { JsonObject } from '../format/json';
import { pathsIn } from './options';
import { QUICK_OUTPUTS, RESULT_FILE } from './outputs';
import type { RecipeStep } from './recipe';

/** Of records, of the recipes' own folders; beside the recipe. */
export const OWN_FOLDER = '.coppice';
/** The file that says of a folder that Coppice made it. */
const MARKER = 'made-by-coppice.txt';
const MARKER_TEXT = 'Coppice made this folder for a recipe. It replaces and removes what is in it.\n';

/**
 * Refuses a path that leads through a link.
 * @param base folder whose own links do not count @param path inside it; it need not exist
 * @throws UserError
 */
export async function refuseLinks(base: string, path: string): Promise<void> {
  let place = base;
  for (const name of relative(base, path).split(sep)) {
    place = join(place, name);
    const stats = await lstat(place).catch(() => undefined);
    if (stats?.isSymbolicLink()) {
      throw new UserError(
        `${path} cannot be used`,
        `${place} is a link, and a recipe writes only where its own folder really is`,
        'Remove the link.',
      );
    }
  }
}

/**
 * Makes a folder that belongs to the recipe, and marks it.
 * @param base see `refuseLinks`
 * @throws UserError for a link on the way, and for a folder with files that Coppice did not put there
 */
export async function claimFolder(base: string, folder: string): Promise<void> {
  await refuseLinks(base, folder);
  await mkdir(folder, { recursive: true });
  if (await isMarked(folder)) return;
  const [first] = await readdir(folder);
  if (first !== undefined) {
    throw new UserError(
      `${folder} cannot be used`,
      `it has files that this recipe did not write, such as ${first}`,
      'Move them elsewhere, or remove the folder.',
    );
  }
  await writeWhole(join(folder, MARKER), MARKER_TEXT);
}

/**
 * Whether a path is in a folder that `claimFolder` made, so that what is there came from the recipe.
 * @param folder of the step, or of outputs
 */
export async function isOwn(path: string, folder: string): Promise<boolean> {
  if (path === folder || !isInside(path, folder) || !(await isMarked(folder))) return false;
  const [parent, real] = await Promise.all(
    [dirname(path), folder].map((each) => realpath(each).catch(() => undefined)),
  );
  return parent !== undefined && real !== undefined && relative(real, parent) === relative(folder, dirname(path));
}

const isMarked = (folder: string): Promise<boolean> =>
  lstat(join(folder, MARKER)).then(
    (stats) => stats.isFile(),
    () => false,
  );

interface Around {
  /** The folder of the recipe. */
  readonly home: string;
  /** Of the state. */
  readonly folder: string;
  readonly stepFolder: string;
}

/**
 * Checks the paths of a step before anything of it is looked at.
 * @throws UserError for one that no system has, and for an output in the place of the recipe's own files
 */
export function checkPaths(step: RecipeStep, options: JsonObject, around: Around): void {
  for (const { option, path, writes } of pathsIn(step, options)) {
    if (path.includes('\0')) {
      throw new UserError(
        `“${option}” of the step “${step.name}” cannot be used`,
        'it has a character that no path has',
        'Give it another value.',
      );
    }
    if (writes) checkOutput(option, path, around);
  }
}

/**
 * Refuses an output that would be one of the recipe's own files, or hold them.
 * @throws UserError
 */
function checkOutput(option: string, path: string, { home, folder, stepFolder }: Around): void {
  const refuse = (why: string, action: string): UserError =>
    new UserError(`“${option}” cannot be ${path}`, why, action);
  const place = comparable(path);
  if (isInside(comparable(folder), place)) {
    throw refuse('the state of the recipe is there', 'Give the step another output.');
  }
  const isReserved = [folder, join(home, OWN_FOLDER)].some((each) => isInside(place, comparable(each)));
  if (!isReserved) return;
  const inOwn = [stepFolder, join(folder, QUICK_OUTPUTS)].some(
    (each) => place !== comparable(each) && isInside(place, comparable(each)),
  );
  const taken = [RESULT_FILE, MARKER].map((name) => comparable(join(stepFolder, name)));
  if (inOwn && !taken.includes(place)) return;
  throw refuse(
    `in ${basename(join(home, OWN_FOLDER))} and in the folder of the state, a step writes only into ${stepFolder}`,
    'Choose a place elsewhere, or leave the option out.',
  );
}

/** Some systems do not tell capital letters from small ones in names. */
const comparable = (path: string): string => resolve(path).toLowerCase();
