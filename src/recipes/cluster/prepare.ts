/** Plans a recipe for a cluster: which steps run, in which jobs, with what they need; and writes the scripts. */
import { dirname, resolve } from 'node:path';
import { estimateParts, mostParts, type PartEstimate } from '../../cluster/estimate';
import { slurmConfiguration } from '../../cluster/slurm-commands';
import { checkAsked } from '../../cluster/slurm-options';
import { UserError } from '../../engine/errors';
import { writeWhole } from '../../engine/files/whole-file';
import { MAX_PARTS } from '../../engine/parts/part';
import { makeOwnFolder } from '../../engine/records/folder';
import type { MachineSpeeds } from '../../estimates/machine';
import { withApplication } from '../../jobs/application';
import { withDefaults } from '../../jobs/complete';
import { JOBS } from '../../jobs/definitions';
import { planSession, type RecipeRequest } from '../plan';
import { limitsOf, locked } from '../run';
import { Session } from '../session';
import { StepModels } from '../step-models';
import { aroundOf, estimatesOf } from '../times';
import type { PlannedStep, RecipePlan } from '../types';
import { sealedRun } from './consent';
import { cutKindOf, type JobStep, jobsOf } from './jobs';
import { claimCluster, logFile, makeInside, REPORT } from './places';
import {
  type AskedRecipeJob,
  isRecipeRun,
  newRecipeRun,
  readRecipeRun,
  type RecipeRun,
  writeRecipeRun,
} from './recipe-run';
import { scriptTexts } from './scripts';

/** What a user asks for. */
export interface RecipeRunRequest {
  readonly request: RecipeRequest;
  /** Of each step that can be cut; a step with less work has fewer. */
  readonly parts: number;
  /** Options of sbatch; see `ClusterRun.asked`. */
  readonly asked: Readonly<Record<string, string>>;
  /** Words that start Coppice on a machine of the cluster. */
  readonly command: readonly string[];
  readonly speeds: MachineSpeeds;
}

export interface PreparedRecipe {
  /** Of the state; absolute. */
  readonly folder: string;
  readonly plan: RecipePlan;
  readonly run: RecipeRun;
  /** Scripts, absolute. */
  readonly files: readonly string[];
}

/**
 * Writes the scripts of all steps that are not done into the folder of the state, and submits nothing.
 * @param isBusy says whether jobs of an earlier submission still live
 * @throws UserError for an input that is missing, and while an earlier submission runs
 */
export async function prepareRecipe(
  asks: RecipeRunRequest,
  isBusy: (run: RecipeRun) => Promise<boolean>,
): Promise<PreparedRecipe> {
  const { request, parts, asked, command } = asks;
  if (!Number.isSafeInteger(parts) || parts < 1 || parts > MAX_PARTS) {
    throw new UserError(`A step cannot have ${parts} parts`, `it has from 1 to ${MAX_PARTS}`, 'Give another number.');
  }
  checkAsked(asked);
  const session = await Session.open(request);
  const { folder } = session;
  if ((await isRecipeRun(folder)) && (await isBusy(await readRecipeRun(folder)))) {
    throw new UserError(
      `${request.recipe.name} is on the cluster already`,
      `jobs of an earlier submission are not over`,
      `\`coppice status ${folder}\` says how far they are. Cancel them first if they are to run otherwise.`,
    );
  }
  await makeOwnFolder(folder);
  return locked(session, async () => {
    const plan = await planSession(session, estimatesOf(request, asks.speeds));
    await session.state.claim();
    await claimCluster(session);
    const jobs = await jobsFor(asks, session, plan);
    const made = newRecipeRun({
      recipe: resolve(request.recipe.file),
      asks: asksOf(request),
      asked,
      command,
      steps: plan.steps
        .filter(({ state }) => state !== 'waits')
        .map(({ step, before }) => ({ name: step.name, job: step.job, run: before?.run ?? null })),
      jobs,
    });
    const countsMemory = (await slurmConfiguration())?.countsMemory !== false;
    const scripts = scriptTexts(folder, made, countsMemory);
    for (const { name } of jobs) await makeInside(session, dirname(logFile(folder, name, 'steps')));
    for (const { file, text } of scripts) await writeWhole(file, text);
    const run = await sealedRun(folder, made);
    await writeRecipeRun(folder, run);
    return { folder, plan, run, files: scripts.map(({ file }) => file) };
  });
}

const asksOf = ({ model, set, quick, only, programs }: RecipeRequest): RecipeRun['asks'] => ({
  ...(model !== undefined && { model: resolve(model) }),
  ...(set && { set }),
  ...(quick && { quick }),
  ...(only && only.length > 0 && { only }),
  ...(programs && { programs: programs.from === undefined ? {} : { from: resolve(programs.from) } }),
});

async function jobsFor(asks: RecipeRunRequest, session: Session, plan: RecipePlan): Promise<AskedRecipeJob[]> {
  const running = plan.steps.filter(({ state }) => state === 'run');
  const models = new StepModels(aroundOf(asks.request));
  const steps: JobStep[] = [];
  const estimates = new Map<string, PartEstimate | undefined>();
  for (const planned of running) {
    const { step } = planned;
    const limited = limitsOf(session, step).some((limits) => Object.keys(limits).length > 0);
    const cut = await cutOf(asks, planned, models);
    if (cut) estimates.set(step.name, cut.estimate);
    steps.push({ step, limited, ...(cut && { cut: { kind: cut.kind, parts: cut.parts } }) });
  }
  const jobs = jobsOf(steps).map((job): AskedRecipeJob => {
    const estimate = job.cut ? estimates.get(job.name) : wholeEstimate(job.steps, running, asks);
    return { ...job, ...(estimate && { estimate }) };
  });
  if (jobs.length === 0 || (asks.request.only ?? []).length > 0) return jobs;
  return [...jobs, { name: REPORT, steps: [], after: jobs.map(({ name }) => name), estimate: REPORTING }];
}

/** A process that computes nothing. */
const REPORTING: PartEstimate = { seconds: 60, memoryBytes: 2 ** 29, statesBytes: 0, readBytes: 0 };

async function cutOf(
  { parts: asked, asked: { 'cpus-per-task': cpus }, speeds }: RecipeRunRequest,
  planned: PlannedStep,
  models: StepModels,
) {
  const { step } = planned;
  const options = planned.options ?? models.options(step);
  const kind = options && cutKindOf(step, options);
  if (!options || !kind) return undefined;
  await models.open(options);
  const complete = withApplication(JOBS[kind], withDefaults(JOBS[kind], options));
  const parts = Math.max(1, Math.min(asked, mostParts(kind, complete, models) ?? asked));
  const threads = Number(cpus ?? complete.threads ?? 1);
  return { kind, parts, estimate: await estimateParts(kind, complete, parts, { threads, speeds }, models) };
}

/** Of steps that run one after another; undefined where one is not known. */
function wholeEstimate(
  names: readonly string[],
  planned: readonly PlannedStep[],
  { asked: { 'cpus-per-task': cpus }, speeds }: RecipeRunRequest,
): PartEstimate | undefined {
  const steps = planned.filter(({ step }) => names.includes(step.name)).map(({ expected }) => expected);
  const known = steps.filter((each) => each?.memoryBytes !== undefined);
  if (known.length < steps.length) return undefined;
  const seconds = known.reduce((sum, each) => sum + (each?.seconds ?? 0), 0);
  const threads = Number(cpus ?? 1);
  return {
    seconds: (seconds * speeds.threads) / threads,
    memoryBytes: Math.max(REPORTING.memoryBytes, ...known.map((each) => each?.memoryBytes ?? 0)),
    statesBytes: 0,
    readBytes: 0,
  };
}
