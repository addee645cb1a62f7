/**
 * Keeps the running jobs with the workspace, so that jobs which a reload has interrupted can be reported and run again.
 * Does not use VS Code, so that plain Node can test it.
 */
import type { Memento } from './memento';
import { isObject } from '../format/json';
import { UserError } from '../engine/errors';
import { completeOptions, optionsIn } from '../jobs/complete';
import { JOBS } from '../jobs/definitions';
import type { JobKind, JobSpec } from '../protocol/jobs';

const KEY = 'jobsUnderWay';

/** Short jobs and jobs that the panel starts on its own are not kept. */
const isWorthIt = (spec: JobSpec): boolean =>
  spec.kind === 'eval' ? spec.text !== undefined : !NOT_KEPT.includes(spec.kind);

const NOT_KEPT: readonly JobKind[] = ['generate', 'samples', 'bench', 'speeds'];

export class JobJournal {
  /** Jobs that ran when the last window of this workspace closed. They are reported once. */
  readonly interrupted: readonly JobSpec[];
  private readonly underWay = new Set<JobSpec>();
  private closed = false;

  constructor(private readonly store: Memento) {
    const kept = store.get(KEY);
    this.interrupted = Array.isArray(kept) ? kept.filter(isSpec) : [];
    this.write();
  }

  /** Notes the start of a job. @returns a function to call at its end */
  begun(spec: JobSpec): () => void {
    if (!isWorthIt(spec)) return () => undefined;
    this.underWay.add(spec);
    this.write();
    return () => {
      this.underWay.delete(spec);
      this.write();
    };
  }

  /** The window is closing: jobs that end from now on are interrupted and stay in the journal. */
  close(): void {
    this.closed = true;
  }

  private write(): void {
    if (!this.closed) void this.store.update(KEY, [...this.underWay]);
  }
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
  return isWorthIt(spec);
}
