/** What a recipe on a cluster starts, and whether its user knows that; see `src/cluster/consent.ts`. */
import { agree, type Consent, seal, type Sealing } from '../../cluster/consent';
import { clusterFolder, scriptFile } from './places';
import type { RecipeRun } from './recipe-run';
import { runWords, scriptsOf } from './scripts';

const RECIPE: Sealing<RecipeRun> = {
  kind: 'recipe on a cluster',
  words: runWords,
  fields: ({ recipe, asks, asked, command, steps, jobs }) => {
    return [recipe, asks, Object.entries(asked), command, steps, jobs];
  },
  // The scripts as they lie in the folder, and the recipe, which says what they do.
  files: (folder, { recipe, jobs }) => [
    recipe,
    ...jobs.flatMap((job) => scriptsOf(job).map((script) => scriptFile(folder, job.name, script))),
  ],
  refusal: (folder) => ({
    what: 'The steps were not submitted again',
    action: `Read the recipe and the scripts in ${clusterFolder(folder)}, or submit the recipe yourself.`,
  }),
};

/** The run with the seal of its user. @throws UserError when a script cannot be read */
export const sealedRun = (folder: string, run: RecipeRun): Promise<RecipeRun> => seal(RECIPE, folder, run);

/** The run, if this user submitted it, or agrees now. @throws UserError without consent */
export const agreedRun = (folder: string, run: RecipeRun, consent: Consent): Promise<RecipeRun> =>
  agree(RECIPE, folder, run, consent);
