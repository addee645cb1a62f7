/** Hands the jobs of a recipe to Slurm, and again those that did not finish. */
import { resolve } from 'node:path';
import type { Consent } from '../../cluster/consent';
import {
  afterWords,
  arrayOf,
  cancelJobs,
  checkArraySize,
  isAlive,
  type Row,
  rowsOf,
  sbatch,
} from '../../cluster/slurm';
import { submitEnvironment } from '../../cluster/slurm-options';
import { runSlurm } from '../../cluster/slurm-commands';
import { submittedMeanwhile } from '../../cluster/submit';
import { UserError } from '../../engine/errors';
import { agreedRun } from './consent';
import { scriptFile } from './places';
import { prepareRecipe, type PreparedRecipe, type RecipeRunRequest } from './prepare';
import { type AskedRecipeJob, type JobSubmission, readRecipeRun, type RecipeRun, writeRecipeRun } from './recipe-run';
import { lookAtRecipe, numbersOf, queueOfJob, type StepStatus } from './status';

/** Writes the scripts only. @throws UserError */
export const writeRecipeScripts = (asks: RecipeRunRequest): Promise<PreparedRecipe> => prepareRecipe(asks, isBusy);

/** Writes the scripts and submits all jobs. @throws UserError when Slurm refuses: then it has none of them */
export async function submitRecipe(asks: RecipeRunRequest): Promise<PreparedRecipe> {
  const prepared = await prepareRecipe(asks, isBusy);
  const { folder, run } = prepared;
  const submissions = await handOver(folder, run, { jobs: run.jobs, parts: allParts, living: new Map(), rows: [] });
  const submitted = { ...run, submissions };
  await writeRecipeRun(folder, submitted);
  return { ...prepared, run: submitted };
}

const allParts = ({ cut }: AskedRecipeJob): number[] => Array.from({ length: cut?.parts ?? 0 }, (_, i) => i + 1);

/** Whether jobs of an earlier submission still live. @throws UserError where Slurm cannot be asked */
async function isBusy(run: RecipeRun): Promise<boolean> {
  if (run.submissions.length === 0) return false;
  const rows = await rowsOf(numbersOf(run));
  if (rows === undefined) throw unreachable();
  return rows.some(isAlive);
}

const unreachable = (): UserError =>
  new UserError(
    'The recipe cannot be submitted again',
    'Slurm cannot be asked from this machine, so earlier jobs may still run',
    'Run this on a machine of the cluster where sbatch and squeue work.',
  );

interface Handed {
  readonly jobs: readonly AskedRecipeJob[];
  /** Numbers of the parts that are to be computed. */
  readonly parts: (job: AskedRecipeJob) => readonly number[];
  /** Numbers of earlier jobs that go on and will give the results of these jobs, by name. */
  readonly living: ReadonlyMap<string, string>;
  readonly rows: readonly Row[];
}

/**
 * Submits jobs, each after those that it needs. Jobs that write the state of the recipe run one after another, whatever they need:
 * two of them would undo each other.
 */
async function handOver(
  folder: string,
  run: RecipeRun,
  { jobs, parts, living, rows }: Handed,
): Promise<JobSubmission[]> {
  const env = submitEnvironment(run.asked);
  const alive = new Set(rows.filter(isAlive).map(({ id }) => id));
  const writers = new Map(living);
  let writesLast = [...living.values()];
  const made: JobSubmission[] = [];
  const ids: string[] = [];
  const submit = async (args: readonly string[]): Promise<string> => {
    const id = await sbatch(args, env);
    ids.push(id);
    return id;
  };
  try {
    for (const job of jobs) {
      const { name, after, cut } = job;
      const needs = after.flatMap((other) => writers.get(other) ?? []);
      const waits = needs.map((id) => `afterok:${id}`);
      const numbers = parts(job);
      let array: string | undefined;
      const old = run.submissions.filter((each) => each.job === name).flatMap((each) => each.array ?? []);
      if (cut && numbers.length > 0) {
        await checkArraySize(Math.max(...numbers));
        const script = scriptFile(folder, name, 'part');
        array = await submit([`--array=${arrayOf(numbers)}`, ...afterWords(waits), script]);
        waits.push(`afterok:${array}`);
      }
      waits.push(...old.filter((id) => alive.has(id)).map((id) => `afterany:${id}`));
      waits.push(...writesLast.filter((id) => !needs.includes(id)).map((id) => `afterany:${id}`));
      const id = await submit([...afterWords(waits), scriptFile(folder, name, cut ? 'gather' : 'steps')]);
      writers.set(name, id);
      writesLast = [id];
      made.push({ job: name, ...(array !== undefined && { array }), id, parts: numbers, at: new Date().toISOString() });
    }
    return made;
  } catch (error) {
    if (ids.length > 0) await runSlurm('scancel', ['--', ...ids]);
    throw error;
  }
}

/** What was handed over again. */
export interface ResubmittedRecipe {
  /** Names of steps; empty if there was nothing to do. */
  readonly steps: readonly string[];
  readonly submissions: readonly JobSubmission[];
}

/**
 * Hands over what failed or was never submitted, with all that follows; nothing that runs or is done.
 * @throws UserError without consent, and when Slurm is not there, or refuses
 */
export async function resubmitRecipe(given: string, consent: Consent): Promise<ResubmittedRecipe> {
  const folder = resolve(given);
  const { run, rows, status } = await lookAtRecipe(folder);
  const states = new Map(status.steps.map((step) => [step.name, step]));
  if (rows === undefined) throw unreachable();
  const open = openJobs(run, rows, states, status.report?.state === 'done');
  if (open.length === 0) return { steps: [], submissions: [] };
  const names = new Set(open.map(({ name }) => name));
  const own = await agreedRun(folder, run, consent);
  // A gather whose parts did not all end well, and all of a job that waits for what failed: they would never run. Slurm may not have
  // found that yet, and takes them out of the queue a little later.
  const following = new Set(
    open.filter(({ after }) => after.some((other) => names.has(other))).map(({ name }) => name),
  );
  const stale = run.submissions
    .filter(({ job }) => names.has(job))
    .flatMap(({ job, id, array }) => (array !== undefined && following.has(job) ? [array, id] : [id]));
  await cancelJobs(stale);
  await requireSame(folder, own);
  const living = new Map(
    run.jobs.flatMap(({ name }): [string, string][] => {
      if (names.has(name)) return [];
      const last = run.submissions.findLast(
        ({ job, id }) => job === name && rows.some((row) => row.id === id && isAlive(row)),
      );
      return last ? [[name, last.id]] : [];
    }),
  );
  const kept = rows.filter(({ id }) => !stale.includes(id));
  const parts = (job: AskedRecipeJob): number[] => partsToDo(job, run, kept, states);
  const submissions = await handOver(folder, own, { jobs: open, parts, living, rows: kept });
  await writeRecipeRun(folder, { ...own, submissions: [...own.submissions, ...submissions] });
  const again = open.flatMap(({ steps }) => steps).filter((name) => states.get(name)?.state !== 'done');
  return { steps: again, submissions };
}

/** Jobs that give nothing more by themselves, and those after them. */
function openJobs(
  run: RecipeRun,
  rows: readonly Row[],
  states: ReadonlyMap<string, StepStatus>,
  reported: boolean,
): AskedRecipeJob[] {
  const open: AskedRecipeJob[] = [];
  for (const job of run.jobs) {
    const { name, steps, after, cut } = job;
    const isDone = steps.length > 0 ? steps.every((step) => states.get(step)?.state === 'done') : reported;
    const follows = after.some((other) => open.some((each) => each.name === other));
    const queue = queueOfJob(run, name, rows);
    const gathers = queue.gather !== undefined && queue.gather.state !== 'ended';
    const lost = cut !== undefined && (states.get(name)?.inParts?.counts.failed ?? 0) > 0;
    if (follows || (!isDone && (!gathers || lost))) open.push(job);
  }
  return open;
}

/** All parts that are neither there nor in Slurm's hands. */
function partsToDo(
  job: AskedRecipeJob,
  run: RecipeRun,
  rows: readonly Row[],
  states: ReadonlyMap<string, StepStatus>,
): number[] {
  const found = states.get(job.name);
  if (!job.cut || found?.state === 'done') return [];
  const { parts } = queueOfJob(run, job.name, rows);
  const done = new Set(found?.inParts?.parts.filter(({ state }) => state === 'done').map(({ number }) => number));
  return allParts(job).filter((number) => {
    const queued = parts.get(number);
    return !done.has(number) && (queued === undefined || queued.state === 'ended');
  });
}

/** @throws UserError when another process submitted meanwhile */
async function requireSame(folder: string, { submissions }: RecipeRun): Promise<void> {
  if ((await readRecipeRun(folder)).submissions.length !== submissions.length) throw submittedMeanwhile('steps');
}
