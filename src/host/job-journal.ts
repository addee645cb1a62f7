/**
 * Keeps the running jobs with the workspace, so that jobs which a reload has interrupted can be reported and run again, and
 * so that another window of the same workspace shows what runs. Does not use VS Code, so that plain Node can test it.
 */
import type { Memento } from './memento';
import { isObject } from '../format/json';
import { UserError } from '../engine/errors';
import { completeOptions, optionsIn } from '../jobs/complete';
import { JOBS } from '../jobs/definitions';
import { isSameJob } from '../jobs/same-job';
import type { JobKind, JobSpec } from '../protocol/jobs';
import { Emitter } from '../sidecar/emitter';
import type { WindowJobs } from './window-jobs';

/** Where earlier versions kept the running jobs. */
const EARLIER_KEY = 'jobsUnderWay';
/** Jobs that can run again, or go on, when the user wants. */
const STOPPED = 'jobsStopped';
const MAX_STOPPED = 20;

/** Short jobs and jobs that the panel starts on its own are not kept. */
const isWorthIt = (spec: JobSpec): boolean =>
  spec.kind === 'eval' ? spec.text !== undefined : !NOT_KEPT.includes(spec.kind);

const NOT_KEPT: readonly JobKind[] = ['generate', 'samples', 'bench', 'speeds'];

export class JobJournal {
  private readonly underWay = new Set<JobSpec>();
  private closed = false;
  private kept: readonly JobSpec[];
  private others: readonly JobSpec[];
  private readonly changed = new Emitter<void>();
  private readonly found = new Emitter<readonly JobSpec[]>();
  /** Other jobs are stopped now, or run in other windows. */
  readonly onChange = this.changed.on;
  /** Jobs whose window is gone since. */
  readonly onInterrupted = this.found.on;
  /** Jobs of windows that were gone when this one opened. */
  readonly interrupted: readonly JobSpec[];

  /** @param store of the jobs that were stopped @param windows the running jobs of all windows */
  constructor(
    private readonly store: Memento,
    private readonly windows: WindowJobs,
  ) {
    const earlier = specsIn(store.get(EARLIER_KEY));
    if (earlier.length > 0) void store.update(EARLIER_KEY, []);
    this.kept = specsIn(store.get(STOPPED));
    this.others = specsIn(windows.elsewhere());
    this.interrupted = [...earlier, ...specsIn(windows.take())];
    this.keep([...this.interrupted, ...this.kept]);
    windows.onChange(() => this.look());
    store.onChange?.((key) => key === STOPPED && this.follow());
  }

  /** Jobs that a reload has interrupted or the user has stopped, newest first, until they run again or are forgotten. */
  get stopped(): readonly JobSpec[] {
    return this.kept;
  }

  /** Jobs that run in other windows of the same workspace. */
  get elsewhere(): readonly JobSpec[] {
    return this.others;
  }

  /** Keeps a job that was stopped and can go on. */
  stop(spec: JobSpec): void {
    this.keep([spec, ...this.kept]);
  }

  /** Forgets a job that was stopped: it runs again, or it is not wanted any more. */
  forget(spec: JobSpec): void {
    if (this.kept.some((each) => isSameJob(each, spec))) this.keep(this.kept.filter((each) => !isSameJob(each, spec)));
  }

  /** Notes the start of a job. @returns a function to call at its end */
  begun(spec: JobSpec): () => void {
    if (!isWorthIt(spec)) return () => undefined;
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
    const interrupted = specsIn(this.windows.take());
    this.others = specsIn(this.windows.elsewhere());
    if (interrupted.length > 0) {
      this.keep([...interrupted, ...this.kept]);
      this.found.fire(interrupted);
    } else this.changed.fire();
  }

  private follow(): void {
    this.kept = specsIn(this.store.get(STOPPED));
    this.changed.fire();
  }

  private keep(specs: readonly JobSpec[]): void {
    if (this.closed) return;
    this.kept = specs.filter((spec, i) => specs.findIndex((each) => isSameJob(each, spec)) === i).slice(0, MAX_STOPPED);
    void this.store.update(STOPPED, this.kept);
    this.changed.fire();
  }

  private write(): void {
    if (!this.closed) this.windows.write([...this.underWay]);
  }
}

const specsIn = (stored: unknown): JobSpec[] => (Array.isArray(stored) ? stored.filter(isSpec) : []);

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
  return isWorthIt(spec);
}
