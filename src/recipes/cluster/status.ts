/**
 * How far a recipe on a cluster is: its state says which steps are done, Slurm which jobs it has, and the folder what parts have
 * done. Where Slurm cannot be asked, the folder alone tells.
 */
import { join, resolve } from 'node:path';
import { lastLines } from '../../cluster/part-files';
import { NO_WORD, type PartState, type PartStatus, reasonIn } from '../../cluster/part-state';
import type { Queue, Queued } from '../../cluster/scheduler';
import { queueOf, type Row, rowsOf } from '../../cluster/slurm';
import { filesOfRun, partsOf, STATES } from '../../cluster/status';
import { UserError } from '../../engine/errors';
import { isThere } from '../../engine/files/existing';
import { readRecipe } from '../read';
import { verdictsOf } from '../run';
import { Session } from '../session';
import { verdictWords } from '../words';
import { logFile, newestParts, REPORT } from './places';
import { type AskedRecipeJob, readRecipeRun, type RecipeRun } from './recipe-run';

/** The parts of a step. */
export interface StepParts {
  readonly parts: readonly PartStatus[];
  readonly counts: Readonly<Record<PartState, number>>;
  /** Of all parts together, from 0 to 1. */
  readonly progress: number;
}

export interface StepStatus {
  readonly name: string;
  /** The name of its command. */
  readonly job: string;
  readonly state: PartState;
  /** Of a step that is done: it was so when the recipe was submitted. */
  readonly before?: true;
  /** Of a step that runs in parts; absent once it is done. */
  readonly inParts?: StepParts;
  /** The machine that it runs on. */
  readonly host?: string;
  /** Why it failed, or what it waits for. */
  readonly error?: string;
}

export interface RecipeStatus {
  /** Of the state, absolute. */
  readonly folder: string;
  /** The recipe's file, absolute. */
  readonly recipe: string;
  readonly steps: readonly StepStatus[];
  readonly counts: Readonly<Record<PartState, number>>;
  /** The job that writes the report; null where single steps were asked for. */
  readonly report: { readonly state: PartState; readonly error?: string } | null;
  readonly scheduler: {
    readonly name: 'slurm';
    /** Numbers of its jobs, oldest first. */
    readonly jobs: readonly string[];
    /** False if it could not be asked. */
    readonly asked: boolean;
  };
}

/** A status with what it is made from. */
export interface RecipeLook {
  readonly run: RecipeRun;
  readonly rows: readonly Row[] | undefined;
  readonly status: RecipeStatus;
}

/** @param given folder of the state @throws UserError when no run is there, or its recipe cannot be read */
export async function lookAtRecipe(given: string): Promise<RecipeLook> {
  const folder = resolve(given);
  const run = await readRecipeRun(folder);
  // Asked first: what ends meanwhile has its result when the state is read.
  const rows = run.submissions.length === 0 ? [] : await rowsOf(numbersOf(run));
  const session = await Session.open({ recipe: await readRecipe(run.recipe), ...run.asks, folder });
  const looker = new Looker(folder, run, rows, session);
  const steps: StepStatus[] = [];
  for (const { name, job } of run.steps) steps.push({ name, job, ...(await looker.step(name)) });
  const reporting = run.jobs.find(({ name }) => name === REPORT);
  const status: RecipeStatus = {
    folder,
    recipe: run.recipe,
    steps,
    counts: countsOf(steps),
    report: reporting ? await looker.report(reporting) : null,
    scheduler: { name: 'slurm', jobs: numbersOf(run), asked: rows !== undefined },
  };
  return { run, rows, status };
}

/** Slurm's numbers of all that was submitted, oldest first. */
export const numbersOf = ({ submissions }: RecipeRun): string[] =>
  submissions.flatMap(({ array, id }) => (array === undefined ? [id] : [array, id]));

const countsOf = (items: readonly { readonly state: PartState }[]): Record<PartState, number> =>
  Object.fromEntries(STATES.map((state) => [state, items.filter((each) => each.state === state).length])) as Record<
    PartState,
    number
  >;

/** What the scheduler has of a job. */
export function queueOfJob({ submissions }: RecipeRun, name: string, rows: readonly Row[]): Queue {
  const own = submissions.filter(({ job }) => job === name);
  return queueOf(
    { submissions: own.map(({ array = '', id, parts, at }) => ({ id: array, gather: id, parts, at })) },
    rows,
  );
}

type Found = Omit<StepStatus, 'name' | 'job'>;

class Looker {
  private readonly found = new Map<string, Found>();

  constructor(
    private readonly folder: string,
    private readonly run: RecipeRun,
    private readonly rows: readonly Row[] | undefined,
    private readonly session: Session,
  ) {}

  /** Steps are asked for in their order. */
  async step(name: string): Promise<Found> {
    const found = await this.stateOf(name);
    this.found.set(name, found);
    return found;
  }

  private async stateOf(name: string): Promise<Found> {
    const { session, run } = this;
    const finished = session.state.finished(name);
    const job = run.jobs.find(({ steps }) => steps.includes(name));
    if (!job) return { state: 'done', before: true };
    const before = run.steps.find((step) => step.name === name)?.run;
    const ended = finished && finished.run !== before ? await this.ended(name) : undefined;
    if (ended) return ended;
    return job.cut ? this.cutStep(job, job.cut) : this.wholeStep(job, name);
  }

  /** Of a step whose result is there. Undefined if that cannot be read: then it is not done. */
  private async ended(name: string): Promise<Found | undefined> {
    const { session } = this;
    const finished = session.state.finished(name);
    const step = session.order.find((each) => each.name === name);
    if (!finished || !step) return undefined;
    try {
      const result = await session.learn(finished);
      const broken = verdictsOf(session, step, finished, result).find(({ kept }) => !kept);
      return broken ? { state: 'failed', error: `breaks its limit: ${verdictWords(broken)}` } : { state: 'done' };
    } catch (error) {
      if (error instanceof UserError) return undefined;
      throw error;
    }
  }

  private async wholeStep(job: AskedRecipeJob, name: string): Promise<Found> {
    const { session, rows, run } = this;
    const first = job.steps.find((each) => this.found.get(each)?.state !== 'done') ?? name;
    if (first !== name) {
      const state = this.found.get(first)?.state;
      return state === 'failed' ? this.after(first) : { state: 'waiting', error: `after ${first}` };
    }
    const blocked = this.failedBefore(job);
    const queued = rows && queueOfJob(run, job.name, rows).gather;
    if (queued?.state === 'running') return { state: 'running', ...hostOf(queued) };
    if (blocked !== undefined) return this.after(blocked);
    if (queued?.state === 'waiting') return { state: 'waiting', ...this.waitsFor(job, queued) };
    if (!this.isSubmitted(job)) return { state: 'waiting', error: 'not submitted' };
    const { running } = session.state;
    if (rows === undefined && running?.step !== name) return { state: 'waiting' };
    if (rows === undefined && !running?.failed) return { state: 'running' };
    return this.failed(job, 'steps', queued);
  }

  private async cutStep(job: AskedRecipeJob, cut: NonNullable<AskedRecipeJob['cut']>): Promise<Found> {
    const { folder, run, rows } = this;
    const { name } = job;
    const queue = rows && queueOfJob(run, name, rows);
    const place = (await newestParts(folder, name, cut.parts)) ?? join(folder, 'none');
    const own = run.submissions.filter((each) => each.job === name);
    const asked = { ...cut, submissions: own.map(({ id, parts, at }) => ({ id, parts, at })) };
    const log = (number: number): string => logFile(folder, name, `part-${number}`);
    const parts = await partsOf(asked, await filesOfRun(place, cut.parts), queue, { folder: place, log });
    const counts = countsOf(parts);
    const progress =
      parts.reduce((sum, part) => sum + (part.state === 'done' ? 1 : (part.progress?.share ?? 0)), 0) / parts.length;
    const inParts = { parts, counts, progress };
    const gather = queue?.gather;
    if (counts.running > 0 || gather?.state === 'running') return { state: 'running', inParts };
    const blocked = this.failedBefore(job);
    if (blocked !== undefined) return this.after(blocked);
    const bad = parts.find(({ state }) => state === 'failed');
    if (bad) return { state: 'failed', inParts, error: `part ${bad.number}: ${bad.error ?? NO_WORD}` };
    if (!this.isSubmitted(job)) return { state: 'waiting', error: 'not submitted' };
    const waits = parts.find(({ state }) => state === 'waiting');
    if (waits) {
      const reason = this.waitsFor(job, {
        state: 'waiting',
        ...(waits.error !== undefined && { reason: waits.error }),
      });
      return { state: counts.done > 0 ? 'running' : 'waiting', inParts, ...reason };
    }
    if (rows === undefined || gather?.state === 'waiting') return { state: 'running', inParts };
    return { ...(await this.failed(job, 'gather', gather)), inParts };
  }

  private isSubmitted = ({ name }: AskedRecipeJob): boolean => this.run.submissions.some(({ job }) => job === name);

  /** A step of a job before this one that failed. */
  private failedBefore({ after }: AskedRecipeJob): string | undefined {
    const steps = this.run.jobs.filter(({ name }) => after.includes(name)).flatMap((job) => job.steps);
    return steps.find((name) => this.found.get(name)?.state === 'failed');
  }

  private after(failed: string): Found {
    const why = this.found.get(failed)?.error ?? '';
    // The first cause, however long the way from it.
    return { state: 'failed', error: why.startsWith(BECAUSE) ? why : `${BECAUSE}${failed} failed` };
  }

  private waitsFor({ after }: AskedRecipeJob, { reason }: Queued): Pick<Found, 'error'> {
    const steps = this.run.jobs.filter(({ name }) => after.includes(name)).flatMap((job) => job.steps);
    const open = steps.filter((name) => this.found.get(name)?.state !== 'done');
    if (open.length > 0) return { error: `after ${open.join(', ')}` };
    return reason === undefined || reason === 'Dependency' ? {} : { error: reason };
  }

  private async failed({ name }: AskedRecipeJob, script: string, queued: Queued | undefined): Promise<Found> {
    const said = reasonIn(await lastLines(logFile(this.folder, name, script)));
    return { state: 'failed', error: queued?.reason ?? said ?? NO_WORD };
  }

  async report(job: AskedRecipeJob): Promise<NonNullable<RecipeStatus['report']>> {
    const { rows, run, folder } = this;
    const queued = rows && queueOfJob(run, REPORT, rows).gather;
    if (queued && queued.state !== 'ended') return { state: queued.state };
    const states = [...this.found.values()].map(({ state }) => state);
    if (states.some((state) => state !== 'done') || !this.isSubmitted(job)) return { state: 'waiting' };
    if (await isThere(join(folder, 'report.html'))) return { state: 'done' };
    const { error } = await this.failed(job, 'steps', queued);
    return rows === undefined ? { state: 'waiting' } : { state: 'failed', ...(error !== undefined && { error }) };
  }
}

const BECAUSE = 'because ';

const hostOf = ({ host }: Queued): Pick<Found, 'host'> => (host === undefined ? {} : { host });
