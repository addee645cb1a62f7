/**
 * Jobs that are under way, kept with the workspace, so that the jobs that a reload ends can be reported and run again.
 * Knows nothing of VS Code, so that plain Node can test it.
 */
import type { Memento } from './memento';
import type { JobSpec } from '../protocol/jobs';

const KEY = 'jobsUnderWay';

/** Short jobs, and those that the panel starts by itself, are not remembered. */
const isWorthIt = (spec: JobSpec): boolean =>
  spec.kind === 'evaluate' ? spec.text !== undefined : spec.kind !== 'generate' && spec.kind !== 'samples';

export class JobJournal {
  /** Jobs that were running when the last window with this workspace closed. They are reported once. */
  readonly interrupted: readonly JobSpec[];
  private readonly underWay = new Set<JobSpec>();
  private closed = false;

  constructor(private readonly store: Memento) {
    const kept = store.get(KEY);
    this.interrupted = Array.isArray(kept) ? kept.filter(isSpec) : [];
    this.write();
  }

  /** A job begins. @returns to be called at its end, however it ends */
  begun(spec: JobSpec): () => void {
    if (!isWorthIt(spec)) return () => undefined;
    this.underWay.add(spec);
    this.write();
    return () => {
      this.underWay.delete(spec);
      this.write();
    };
  }

  /** The window closes: jobs that end from now on are interrupted, and stay in the journal. */
  close(): void {
    this.closed = true;
  }

  private write(): void {
    if (!this.closed) void this.store.update(KEY, [...this.underWay]);
  }
}

/** Coppice wrote these. Another version may have had other kinds of jobs; those are not run again. */
function isSpec(value: unknown): value is JobSpec {
  const kinds: unknown[] = ['score', 'evaluate', 'prune', 'merge', 'retrain', 'curve'];
  return typeof value === 'object' && value !== null && 'kind' in value && kinds.includes(value.kind);
}
