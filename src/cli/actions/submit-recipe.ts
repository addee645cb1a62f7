/** `coppice submit slurm run`: writes the jobs of a recipe, and hands them to Slurm. */
import { relative } from 'node:path';
import { UserError } from '../../engine/errors';
import { guessedTime } from '../../estimates/words';
import { openSpeeds } from '../../estimates/measure-rates';
import { formatBytes } from '../../format/numbers';
import { counted } from '../../format/words';
import { REPORT } from '../../recipes/cluster/places';
import type { PreparedRecipe } from '../../recipes/cluster/prepare';
import type { AskedRecipeJob } from '../../recipes/cluster/recipe-run';
import { submitRecipe, writeRecipeScripts } from '../../recipes/cluster/submit';
import type { Outcome, Shell } from '../execute';
import type { SchedulerFace } from '../schedulers/face';
import { facts, table } from '../terminal/text';
import { type RequestOptions, requestOf } from './run';
import type { CommonOptions } from '../options';

export interface SubmitRecipeOptions extends CommonOptions, Omit<RequestOptions, 'alone' | 'part' | 'gather'> {
  readonly parts: number;
  readonly write?: true;
  readonly command?: string;
}

export interface AskedOfScheduler {
  readonly face: SchedulerFace;
  readonly asked: Readonly<Record<string, string>>;
  /** That start Coppice on a machine of the cluster. */
  readonly words: readonly string[];
}

export async function submittedRecipe(
  file: string,
  options: SubmitRecipeOptions,
  { face, asked, words }: AskedOfScheduler,
  shell: Shell,
): Promise<Outcome> {
  if (face.recipes !== undefined) {
    throw new UserError(
      `${face.title} cannot run a recipe as a whole`,
      face.recipes,
      `Submit its heavy steps one by one with \`coppice submit ${face.name}\`, or use Slurm.`,
    );
  }
  const request = await requestOf(file, options);
  const asks = { request, parts: options.parts, asked, command: words, speeds: await openSpeeds({}) };
  const done = options.write ? await writeRecipeScripts(asks) : await submitRecipe(asks);
  return { json: jsonOf(done), page: pageOf(done, shell) };
}

const jsonOf = ({ folder, run, files }: PreparedRecipe): object => ({
  folder,
  recipe: run.recipe,
  scheduler: run.scheduler,
  jobs: run.jobs,
  files,
  submissions: run.submissions,
});

function pageOf({ folder, run, plan }: PreparedRecipe, { shown }: Shell): string[] {
  const short = (path: string): string => shown(relative(process.cwd(), path) || '.');
  const kept = plan.steps.filter(({ state }) => state === 'done').length;
  const lines = facts([
    ['recipe', short(run.recipe)],
    ['folder', short(folder)],
    ['steps', `${run.steps.length - kept} to run, ${kept} done before`],
  ]);
  const steps = run.jobs.filter(({ name }) => name !== REPORT);
  if (steps.length === 0 && run.submissions.length === 0) return lines;
  const rows = run.jobs.map((job) => [
    job.steps.length === 0 ? 'the report' : job.steps.join(', '),
    job.cut ? counted(job.cut.parts, 'part') : '',
    job.after.length === run.jobs.length - 1 && job.steps.length === 0 ? 'all' : job.after.join(', '),
    estimateWords(job),
    run.submissions
      .filter((each) => each.job === job.name)
      .flatMap(({ array, id }) => (array === undefined ? [id] : [array, id]))
      .join(', '),
  ]);
  const titles = ['job', 'in', 'after', 'an estimate', run.submissions.length > 0 ? run.scheduler : ''];
  return [...lines, '', ...table(titles, rows).map(shown)];
}

const estimateWords = ({ estimate }: AskedRecipeJob): string =>
  estimate === undefined ? 'not known' : `${guessedTime(estimate.seconds)}, ${formatBytes(estimate.memoryBytes)}`;
