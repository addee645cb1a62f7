/** What a recipe on a cluster starts, and whether its user knows that; see `src/cluster/consent.ts`. */
import type { Consent, Started } from '../../cluster/consent';
import { UserError } from '../../engine/errors';
import { Seals } from '../../engine/files/seals';
import { readTextFile } from '../../engine/files/text-file';
import { quoted } from '../../format/shell';
import { clusterFolder, scriptFile } from './places';
import type { RecipeRun } from './recipe-run';
import { runWords, scriptsOf } from './scripts';

const MAX_BYTES = 16 * 2 ** 20;

/** The scripts as they lie in the folder, and the recipe, which says what they do. @throws UserError */
async function startedBy(folder: string, run: RecipeRun): Promise<Started> {
  const files = run.jobs.flatMap((job) => scriptsOf(job).map((script) => scriptFile(folder, job.name, script)));
  const scripts = [];
  for (const file of [run.recipe, ...files]) {
    scripts.push({ file, text: (await readTextFile(file, MAX_BYTES, 'It has a few kilobytes.')).text });
  }
  return {
    command: [...run.command, ...runWords(run)].map((word) => quoted(word, 'posix')).join(' '),
    asked: Object.entries(run.asked).map(([name, value]) => `${name}=${value}`),
    scripts,
  };
}

/** The run with the seal of its user. @throws UserError when a script cannot be read */
export async function sealedRun(folder: string, run: RecipeRun): Promise<RecipeRun> {
  return { ...run, seal: await new Seals().of(claimOf(folder, run, await startedBy(folder, run))) };
}

/** The run, if this user submitted it, or agrees now. @throws UserError without consent */
export async function agreedRun(folder: string, run: RecipeRun, consent: Consent): Promise<RecipeRun> {
  const started = await startedBy(folder, run);
  const seals = new Seals();
  const claim = claimOf(folder, run, started);
  if (await seals.holds(run.seal, claim)) return run;
  if (await consent(started)) return { ...run, seal: await seals.of(claim) };
  throw new UserError(
    'The steps were not submitted again',
    `what ${folder} would start was not agreed to`,
    `Read the recipe and the scripts in ${clusterFolder(folder)}, or submit the recipe yourself.`,
  );
}

function claimOf(folder: string, run: RecipeRun, { scripts }: Started): string[] {
  const { recipe, asks, asked, command, steps, jobs } = run;
  const fields = JSON.stringify([recipe, asks, Object.entries(asked), command, steps, jobs]);
  return ['recipe on a cluster', folder, fields, ...scripts.map(({ text }) => text)];
}
