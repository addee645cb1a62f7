/** What a run of a recipe would do: what is there already, what runs and why, and how long that is expected to take. */
import { version } from '../../package.json';
import { announce, type JobOptions } from '../engine/progress';
import { checkHealing } from './check-healing';
import { checkLimits } from './limits';
import { outputsOf } from './options';
import { needsOf } from './order';
import type { Json, Recipe, RecipeStep } from './recipe';
import { Session } from './session';
import type { Expected, FinishedStep, PlannedStep, RecipePlan, StepOutput } from './types';

/** That other programs may be started, as the person who runs the recipe said: a recipe may be someone else's. */
export interface Programs {
  /** A folder that they may come from too. */
  readonly from?: string;
}

/** How a recipe is run. */
export interface RecipeRequest {
  readonly recipe: Recipe;
  /** Another model than the recipe's: a path that starts at the current folder. */
  readonly model?: string;
  /** Values in place of those of the recipe's variables. */
  readonly set?: Readonly<Record<string, Json>>;
  /** With the values of `quick`; then every output goes to the folder of the state. */
  readonly quick?: boolean;
  /** Only these steps and what they need; all without them. */
  readonly only?: readonly string[];
  /** Only those that are named run: what they need must be done. */
  readonly alone?: boolean;
  /** Folder of the state: new, empty, or of this recipe; `.coppice/NAME` beside the recipe without it. */
  readonly folder?: string;
  /** Steps that ask for it may start other programs (`consumers`); without it they run without them. */
  readonly programs?: Programs;
}

/** Estimates the time of a step whose options are known. Undefined where nothing is known of its time. */
export type StepEstimate = (step: PlannedStep & { readonly before?: FinishedStep }) => Promise<Expected | undefined>;

/**
 * @returns what a run would do; writes nothing
 * @throws UserError for an input that is missing, or an unknown step or variable
 */
export async function planRecipe(
  request: RecipeRequest,
  estimate?: StepEstimate,
  job: JobOptions = {},
): Promise<RecipePlan> {
  return planSession(await Session.open(request), estimate, job);
}

/** The plan of an open session. */
export async function planSession(
  session: Session,
  estimate?: StepEstimate,
  job: JobOptions = {},
): Promise<RecipePlan> {
  announce(job, 'looking at what is there');
  for (const { name, limits } of [{ name: undefined, limits: session.recipe.limits }, ...session.order]) {
    checkLimits(limits, (value) => session.value(value), name);
  }
  await checkHealing(session, openSteps(session));
  const steps: PlannedStep[] = [];
  for (const step of session.order) {
    const planned = await planStep(session, step, steps, job);
    const expected = planned.state === 'run' ? await expectedOf(planned, estimate) : undefined;
    steps.push({ ...planned, ...(expected && { expected }) });
  }
  const running = steps.filter(({ state }) => state === 'run');
  return {
    recipe: session.recipe,
    ...(session.model !== undefined && { model: session.model }),
    folder: session.folder,
    variables: session.variables,
    steps,
    expectedSeconds: running.reduce((sum, { expected }) => sum + (expected?.seconds ?? 0), 0),
    unknown: running.filter(({ expected }) => !expected).map(({ step }) => step.name),
    withheld: running.map(({ step }) => step.name).filter((name) => session.withheld.has(name)),
  };
}

/** Those that were asked for and have no result yet. */
const openSteps = ({ order, chosen, state }: Session): RecipeStep[] =>
  order.filter(({ name }) => chosen.has(name) && !state.finished(name));

/** The estimate, or else the time that the same step took before. */
async function expectedOf(step: PlannedStep, estimate?: StepEstimate): Promise<Expected | undefined> {
  const found = await estimate?.(step);
  return found ?? (step.before && { seconds: step.before.seconds, from: 'before' });
}

async function planStep(
  session: Session,
  step: RecipeStep,
  earlier: readonly PlannedStep[],
  job: JobOptions,
): Promise<PlannedStep> {
  const before = session.state.finished(step.name);
  const base = { step, ...(before && { before }) };
  if (!session.chosen.has(step.name)) {
    if (before && (await isLearned(session, before))) return { ...base, state: 'waits' };
    return { step, state: 'waits' };
  }
  const again = earlier.find((each) => each.state === 'run' && needsOf(step).includes(each.step.name));
  if (again) {
    const how = again.before ? 'again' : 'first';
    const why = before ? `${again.step.name} runs ${how}` : 'it has not run yet';
    return { ...base, state: 'run', why };
  }
  const options = session.options(step);
  const why = await whyRun(session, step, before, job);
  if (why !== undefined) return { ...base, state: 'run', why, options };
  return { step, before: before && (await asItIs(session, before, job)), state: 'done', options };
}

/** With the sizes that the outputs have, whatever the state says of them. */
async function asItIs(session: Session, before: FinishedStep, job: JobOptions): Promise<FinishedStep> {
  const outputs: StepOutput[] = [];
  for (const output of before.outputs) {
    outputs.push({ ...output, bytes: (await session.contents.of(output.path, job)).bytes });
  }
  return { ...before, outputs };
}

/** Why a step runs whose needs are done; undefined if its result is there. */
async function whyRun(
  session: Session,
  step: RecipeStep,
  before: FinishedStep | undefined,
  job: JobOptions,
): Promise<string | undefined> {
  const key = await session.key(step, job); // also checks that all inputs are there
  const { running } = session.state;
  if (!before && running?.step === step.name) return running.failed ? 'it failed' : 'it was stopped';
  if (!before) return 'it has not run yet';
  if (before.job !== step.job) return 'it is another job';
  if (before.key !== key) {
    if (before.coppice !== version) return `Coppice ${before.coppice} made it`;
    return 'its options or inputs changed';
  }
  const places = outputsOf(step, session.options(step));
  for (const { option, path, digest } of before.outputs) {
    if (places[option] !== path) return 'its output is elsewhere';
    const now = await session.contents.of(path, job).catch(() => undefined);
    if (!now) return 'its output is gone';
    if (now.digest !== digest) return 'its output was changed';
  }
  return (await isLearned(session, before)) ? undefined : 'its result is gone, or was changed';
}

/** Loads the result, if it can be read. */
const isLearned = (session: Session, step: FinishedStep): Promise<boolean> =>
  session.learn(step).then(
    () => true,
    () => false,
  );
