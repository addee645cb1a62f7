/** Which files are recipes, by their names. */
import { basename } from 'node:path';
import { RECIPE_SUFFIX } from '../../recipes/recipe';

/** "a.coppice.json", and not "coppice.json", which is a record in a model's folder. */
export const isRecipeName = (path: string): boolean =>
  path.endsWith(RECIPE_SUFFIX) && basename(path).length > RECIPE_SUFFIX.length;
