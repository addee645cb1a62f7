/**
 * Jobs that are under way, remembered in the workspace, so that those which a reload ends can be told and run again.
 * Knows nothing of VS Code, so that plain Node can test it.
 */
import type { Memento } from '../memento';
import type { JobSpec } from '../protocol/jobs';

const KEY = 'jobsUnderWay';

/** Jobs that are short, or that the panel asks for by itself, are not worth a word. */
const isWorthIt = (spec: JobSpec): boolean =>
  spec.kind === 'evaluate' ? spec.text !== undefined : spec.kind !== 'generate' && spec.kind !== 'samples';

export class JobJournal {
  /** Jobs that the last window with this workspace did not see the end of. They are told once. */
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

  /** The window goes away: jobs that end from now on are interrupted, and stay written down. */
  close(): void {
    this.closed = true;
  }

  private write(): void {
    if (!this.closed) void this.store.update(KEY, [...this.underWay]);
  }
}

/** Only our own writing gets here; another version may have known other kinds, which then are not run again. */
function isSpec(value: unknown): value is JobSpec {
  const kinds: unknown[] = ['score', 'evaluate', 'prune', 'merge', 'retrain', 'curve'];
  return typeof value === 'object' && value !== null && 'kind' in value && kinds.includes(value.kind);
}
