/**
 * Keeps the running jobs with the workspace, so that jobs which a reload has interrupted can be reported and run again, and
 * so that another window of the same workspace shows what runs. Does not use VS Code, so that plain Node can test it.
 */
import type { Memento } from '../../state/memento';
import { isObject } from '../../format/json';
import { UserError } from '../../engine/errors';
import { completeOptions, optionsIn } from '../../jobs/complete';
import type { AnyJob } from '../../jobs/define';
import { JOBS } from '../../jobs/definitions';
import { isSameJob } from '../../jobs/same-job';
import type { JobSpec } from '../../protocol/jobs';
import { Emitter } from '../../sidecar/emitter';
import type { WindowJobs } from '../window-jobs';

/** Where earlier versions kept the running jobs. */
const EARLIER_KEY = 'jobsUnderWay';
/** Jobs that the user has cancelled. */
const CANCELLED = 'jobsCancelled';
/** Jobs that can run again, or go on, when the user wants. */
const STOPPED = 'jobsStopped';
const MAX_STOPPED = 20;
const MAX_CANCELLED = 10;

/** Short jobs and jobs that the panel starts on its own are not kept. */
const isWorthIt = (spec: JobSpec): boolean => (JOBS[spec.kind] as AnyJob).isPassing?.({ ...spec }) !== true;

/** What a window that is gone has left. */
export interface Interrupted {
  /** They can run again. */
  readonly jobs: readonly JobSpec[];
  /** Short ones, which are only told of. */
  readonly short: readonly JobSpec[];
}

export class JobJournal {
  private readonly underWay = new Set<JobSpec>();
  private closed = false;
  private kept: readonly JobSpec[];
  private dropped: readonly JobSpec[];
  private others: readonly JobSpec[];
  private readonly changed = new Emitter<void>();
  private readonly found = new Emitter<Interrupted>();
  /** Other jobs are stopped now, or run in other windows. */
  readonly onChange = this.changed.on;
  /** Jobs whose window is gone since. */
  readonly onInterrupted = this.found.on;
  /** What the windows did that were gone when this one opened. */
  readonly interrupted: Interrupted;

  /** @param store of the jobs that were stopped @param windows the running jobs of all windows */
  constructor(
    private readonly store: Memento,
    private readonly windows: WindowJobs,
  ) {
    const earlier = specsIn(store.get(EARLIER_KEY));
    if (earlier.length > 0) void store.update(EARLIER_KEY, []);
    this.kept = specsIn(store.get(STOPPED));
    this.dropped = specsIn(store.get(CANCELLED));
    this.others = specsIn(windows.elsewhere());
    const found = interruptedIn(windows.take());
    this.interrupted = { ...found, jobs: [...earlier, ...found.jobs] };
    this.keep([...this.interrupted.jobs, ...this.kept]);
    windows.onChange(() => this.look());
    store.onChange?.((key) => (key === STOPPED || key === CANCELLED) && this.follow());
  }

  /** Jobs that a reload has interrupted or the user has stopped, newest first, until they run again or are forgotten. */
  get stopped(): readonly JobSpec[] {
    return this.kept;
  }

  /** Jobs that the user has cancelled, newest first, until they run again or are forgotten. */
  get cancelled(): readonly JobSpec[] {
    return this.dropped;
  }

  /** Jobs that run in other windows of the same workspace. */
  get elsewhere(): readonly JobSpec[] {
    return this.others;
  }

  /** Keeps a job that was stopped and can go on. */
  stop(spec: JobSpec): void {
    this.keep([spec, ...this.kept]);
  }

  /** Notes that the user has cancelled a job, which may run again. */
  cancel(spec: JobSpec): void {
    if (isWorthIt(spec)) this.drop([spec, ...this.dropped]);
  }

  /** Forgets a job that was stopped or cancelled: it runs again, or it is not wanted any more. */
  forget(spec: JobSpec): void {
    const isOther = (each: JobSpec): boolean => !isSameJob(each, spec);
    if (!this.kept.every(isOther)) this.keep(this.kept.filter(isOther));
    if (!this.dropped.every(isOther)) this.drop(this.dropped.filter(isOther));
  }

  /** Forgets the jobs that would write this: what they kept is gone. */
  forgetOutput(out: string): void {
    const all = [...this.kept, ...this.dropped];
    for (const spec of all) if ('out' in spec && spec.out === out) this.forget(spec);
  }

  /** Notes the start of a job. @returns a function to call at its end */
  begun(spec: JobSpec): () => void {
    this.forget(spec);
    this.underWay.add(spec);
    this.write();
    return () => {
      this.underWay.delete(spec);
      this.write();
    };
  }

  /** The window is closing: jobs that end from now on are interrupted and stay in the journal. */
  close(): void {
    if (!this.closed) this.windows.write([...this.underWay], true);
    this.closed = true;
  }

  /** Looks for windows that have begun or ended jobs, or that are gone. */
  private look(): void {
    if (this.closed) return;
    const interrupted = interruptedIn(this.windows.take());
    this.others = specsIn(this.windows.elsewhere());
    if (interrupted.jobs.length > 0) {
      this.keep([...interrupted.jobs, ...this.kept]);
      this.found.fire(interrupted);
    } else this.changed.fire();
  }

  private follow(): void {
    this.kept = specsIn(this.store.get(STOPPED));
    this.dropped = specsIn(this.store.get(CANCELLED));
    this.changed.fire();
  }

  private keep(specs: readonly JobSpec[]): void {
    if (this.closed) return;
    this.kept = withoutTwins(specs).slice(0, MAX_STOPPED);
    void this.store.update(STOPPED, this.kept);
    this.changed.fire();
  }

  private drop(specs: readonly JobSpec[]): void {
    if (this.closed) return;
    this.dropped = withoutTwins(specs).slice(0, MAX_CANCELLED);
    void this.store.update(CANCELLED, this.dropped);
    this.changed.fire();
  }

  private write(): void {
    if (!this.closed) this.windows.write([...this.underWay]);
  }
}

const withoutTwins = (specs: readonly JobSpec[]): JobSpec[] =>
  specs.filter((spec, i) => specs.findIndex((each) => isSameJob(each, spec)) === i);

/** The jobs that were stored, are worth it, and that this version can run. */
export const specsIn = (stored: unknown): JobSpec[] => knownIn(stored).filter(isWorthIt);

const knownIn = (stored: unknown): JobSpec[] => (Array.isArray(stored) ? stored.filter(isSpec) : []);

function interruptedIn(stored: unknown): Interrupted {
  const all = knownIn(stored);
  return { jobs: all.filter(isWorthIt), short: all.filter((spec) => !isWorthIt(spec)) };
}

/** Whether this version can run the job. Other versions may have stored other kinds of jobs, or other options. */
function isSpec(value: unknown): value is JobSpec {
  if (!isObject(value) || typeof value.kind !== 'string' || !Object.hasOwn(JOBS, value.kind)) return false;
  const spec = value as unknown as JobSpec;
  try {
    completeOptions(JOBS[spec.kind], optionsIn(spec));
  } catch (error) {
    if (error instanceof UserError) return false;
    throw error;
  }
  return true;
}
