/**
 * Runs a recipe: the steps whose results are not there, one after the other. After each step its result, the digests of
 * its outputs and its key are kept, so that a run which was stopped at any moment goes on, and nothing finished is
 * repeated. A broken limit ends the run.
 */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { version } from '../../package.json';
import { CancelledError, LimitError, messageOf, UserError } from '../engine/errors';
import { inPhases, type JobOptions, labelled } from '../engine/progress';
import { makeOwnFolder } from '../engine/records/folder';
import { releaseLock, takeLock } from '../engine/retrain/loop/lock';
import { systemFailure } from '../engine/system-failure';
import type { JsonObject } from '../format/json';
import type { AnyJob } from '../jobs/define';
import { JOBS } from '../jobs/definitions';
import type { JobRunner } from '../jobs/runner';
import type { JobEvent } from '../protocol/jobs';
import { runStep, type SecondsOf } from './execute';
import { judge, measuresOf } from './limits';
import { originalOf } from './original';
import { planSession, type RecipeRequest, type StepEstimate } from './plan';
import { LIMIT_NAMES, type Limits, type RecipeStep } from './recipe';
import { Session } from './session';
import type { FinishedStep, PlannedStep, RecipeEnd, RecipeEvent, RecipePlan, StepEnd, LimitCheck } from './types';

export interface RecipeRunOptions extends JobOptions {
  readonly estimate?: StepEstimate;
  readonly onEvent?: (event: RecipeEvent) => void;
  /** Events of the job of a step. */
  readonly onJobEvent?: (step: string, event: JobEvent) => void;
  readonly secondsOf?: SecondsOf;
  /** Sees the options of a step before anything of it is read, moved or run. An error of it is that of the step. */
  readonly check?: (step: RecipeStep, options: JsonObject) => Promise<void>;
}

/** The end of a run, and the error of the step that failed. */
export interface RecipeRun {
  readonly end: RecipeEnd;
  readonly error?: unknown;
}

/**
 * @param runner runs the jobs
 * @throws UserError before the first step, for an input that is missing or a recipe that runs already; CancelledError
 */
export async function runRecipe(
  request: RecipeRequest,
  runner: JobRunner,
  options: RecipeRunOptions = {},
): Promise<RecipeRun> {
  const session = await Session.open(request);
  await makeOwnFolder(session.folder);
  return locked(session, () => new RecipeRunner(session, runner, options).run(request));
}

/** Does something that changes the state, and keeps the digests that it computed. @throws UserError while another process does */
export async function locked<T>(session: Session, act: () => Promise<T>): Promise<T> {
  const lock = join(session.folder, 'lock');
  const owner = await takeLock(lock);
  if (owner !== undefined) {
    throw new UserError(
      `${session.recipe.name} is running already`,
      `process ${owner} is at it`,
      `Wait until it ends; if that process is not Coppice, remove ${lock}.`,
    );
  }
  try {
    return await act();
  } finally {
    await session.contents.save().catch(() => undefined); // digests can be computed again
    await releaseLock(lock);
  }
}

/** Of a step whose time is not known, beside those that are. */
const UNKNOWN_SECONDS = 10;

/** @throws LimitError where the job was to write something, and found that this is not worth it */
function requireWorth({ job, options }: RecipeStep, result: JsonObject): void {
  const definition: AnyJob = JOBS[job];
  const why = options.out === undefined ? undefined : definition.refuses?.(result);
  if (why === undefined) return;
  throw new LimitError('It wrote nothing', why.replace(/\.$/, ''), 'Leave the step out, or change its options.');
}

class RecipeRunner {
  private readonly started = new Date();
  private readonly ends = new Map<string, StepEnd>();
  private readonly verdicts: LimitCheck[] = [];
  private ran = 0;

  constructor(
    private readonly session: Session,
    private readonly runner: JobRunner,
    private readonly options: RecipeRunOptions,
  ) {}

  async run({ alone, only }: RecipeRequest): Promise<RecipeRun> {
    const { session, options } = this;
    await session.state.claim();
    await session.state.restore();
    const plan = await planSession(session, options.estimate, options);
    if (alone) requireAlone(plan, only);
    options.onEvent?.({ type: 'plan', plan });
    const jobs = this.progressOf(plan);
    for (const [at, planned] of plan.steps.entries()) {
      if (planned.state === 'waits') continue;
      const failed = await this.step(planned, plan, jobs.get(planned.step.name) ?? options, at);
      if (failed !== undefined) return this.end('failed', failed.error);
      if (this.verdicts.some(({ kept }) => !kept)) return this.end('limit');
    }
    return this.end('done');
  }

  /** The part of the whole progress that each step has. */
  private progressOf({ steps }: RecipePlan): ReadonlyMap<string, JobOptions> {
    const running = steps.filter(({ state }) => state === 'run');
    const phases = running.map(({ expected }) => ({ share: Math.max(0.1, expected?.seconds ?? UNKNOWN_SECONDS) }));
    const jobs = inPhases(this.options, phases);
    return new Map(running.map(({ step }, i) => [step.name, labelled(jobs[i], step.name)]));
  }

  /** @returns the error of a step that failed */
  private async step(
    planned: PlannedStep,
    plan: RecipePlan,
    job: JobOptions,
    at: number,
  ): Promise<{ readonly error: unknown } | undefined> {
    const { step, before, state } = planned;
    const { session, options } = this;
    try {
      let finished = before;
      if (state === 'run' || !finished) {
        options.onEvent?.({ type: 'start', step: step.name, at, of: plan.steps.length });
        await options.check?.(step, session.options(step));
        const run = randomBytes(8).toString('hex');
        const onEvent = (event: JobEvent): void => options.onJobEvent?.(step.name, event);
        finished = await runStep(session, step, run, this.runner, job, onEvent, options.secondsOf);
        this.ran++;
        await session.contents.save().catch(() => undefined);
      }
      const result = await session.learn(finished);
      requireWorth(step, result);
      this.note({ ...nameOf(step), state: state === 'run' ? 'done' : 'kept', finished, result });
      this.judge(step, finished, result);
      return undefined;
    } catch (error) {
      if (error instanceof CancelledError) throw error;
      this.note({ ...nameOf(step), state: 'failed', failure: failureOf(error) });
      return { error: named(step, error) };
    }
  }

  private note(end: StepEnd): void {
    this.ends.set(end.name, end);
    this.options.onEvent?.({ type: 'end', end });
  }

  private judge(step: RecipeStep, finished: FinishedStep, result: JsonObject): void {
    for (const verdict of verdictsOf(this.session, step, finished, result)) {
      this.verdicts.push(verdict);
      this.options.onEvent?.({ type: 'limit', verdict });
    }
  }

  private async end(ended: RecipeEnd['ended'], error?: unknown): Promise<RecipeRun> {
    const { session, started, verdicts, ran } = this;
    const steps = session.order.map((step) => this.ends.get(step.name) ?? { ...nameOf(step), state: 'open' as const });
    const original = session.model === undefined ? undefined : await originalOf(session.model);
    const end: RecipeEnd = {
      recipe: session.recipe,
      ...(session.model !== undefined && { model: session.model }),
      ...(original && { original }),
      folder: session.folder,
      quick: session.quick,
      variables: session.variables,
      steps,
      limits: verdicts,
      ended,
      ran,
      started: started.toISOString(),
      seconds: (Date.now() - started.getTime()) / 1000,
      coppice: version,
    };
    return { end, ...(error !== undefined && { error }) };
  }
}

const nameOf = ({ name, job, description }: RecipeStep): Pick<StepEnd, 'name' | 'job' | 'description'> => ({
  name,
  job,
  ...(description !== undefined && { description }),
});

/** The limits of a step, and those of the recipe that concern it. */
export const limitsOf = (session: Session, step: RecipeStep): readonly Limits[] => [
  Object.fromEntries(
    LIMIT_NAMES.filter((name) => session.recipe.limits[name] !== undefined && lastFor(session, name) === step.name).map(
      (name) => [name, session.recipe.limits[name]],
    ),
  ),
  step.limits,
];

/** The verdicts on a finished step. @throws UserError for a limit that cannot be judged */
export const verdictsOf = (
  session: Session,
  step: RecipeStep,
  finished: FinishedStep,
  result: JsonObject,
): LimitCheck[] => limitsOf(session, step).flatMap((limits) => judge(finished, result, session.limits(limits)));

/** @throws UserError for a step that would run without being asked for */
export function requireAlone({ steps }: RecipePlan, names: readonly string[] = []): void {
  const open = steps.find(({ step, state }) => state === 'run' && !names.includes(step.name));
  if (open === undefined) return;
  throw new UserError(
    `${open.step.name} is not done`,
    open.why ?? 'it has not run yet',
    names.length > 0
      ? `Run it first, because ${names.join(', ')} may need it, or submit the recipe again.`
      : 'Run the recipe, or submit it again.',
  );
}

/** The step that a limit of the whole recipe concerns: the last one that measures it and runs. */
const lastFor = ({ order, chosen }: Session, limit: (typeof LIMIT_NAMES)[number]): string | undefined =>
  order.findLast(({ name, job, options }) => chosen.has(name) && measuresOf(job, options).includes(limit))?.name;

function failureOf(error: unknown): StepEnd['failure'] {
  const known = error instanceof UserError ? error : systemFailure(error);
  if (known) return { what: known.what, why: known.why, action: known.action };
  return { what: 'The step failed unexpectedly', why: messageOf(error), action: 'Report this as a bug.' };
}

/** The error with the name of the step that it is about. */
function named({ name }: RecipeStep, error: unknown): unknown {
  const known = error instanceof UserError ? error : systemFailure(error);
  if (!known) return error;
  const { what } = known.texts;
  return known.withTexts((text) => (text === what ? `step “${name}”: ${text}` : text));
}
