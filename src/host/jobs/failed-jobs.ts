/** The jobs that failed, with their errors, kept with the workspace until they succeed or are dismissed. Does not use VS Code. */
import { CancelledError, messageOf, UserError } from '../../engine/errors';
import { isObject } from '../../format/json';
import { isSameJob } from '../../jobs/same-job';
import type { JobEnded } from '../../sidecar/client';
import { Emitter } from '../../sidecar/emitter';
import type { FailedJob } from '../../state/jobs/line';
import { PartsFailed } from '../../state/words/cluster-looks';
import { specsIn } from './job-journal';
import type { Memento } from '../../state/memento';

const MAX_KEPT = 20;
const KEY = 'jobsFailed';

export class FailedJobs {
  private kept: readonly FailedJob[];
  private readonly changed = new Emitter<void>();
  readonly onChange = this.changed.on;

  /** @param now milliseconds since the epoch */
  constructor(
    private readonly store: Memento,
    private readonly now: () => number = Date.now,
  ) {
    this.kept = this.stored();
    store.onChange?.((key) => key === KEY && this.follow());
  }

  /** Newest first. */
  get all(): readonly FailedJob[] {
    return this.kept;
  }

  /** Notes how a job ended. One that succeeds now is no longer failed. */
  ended({ id, spec, on, outcome, error }: JobEnded): void {
    const others = this.kept.filter((each) => !isSameJob(each.spec, spec));
    // Parts that failed have a line of their own: the run waits for them.
    const failed = outcome === undefined && !(error instanceof CancelledError) && !(error instanceof PartsFailed);
    if (!failed && others.length === this.kept.length) return;
    const ended = this.now();
    // Every window counts its jobs from one.
    const own = failed ? [{ id: `${id}-${ended}`, spec, ...(on && { on }), error, ended }] : [];
    this.keep([...own, ...others].slice(0, MAX_KEPT));
  }

  dismiss(id: string): void {
    this.keep(this.kept.filter((each) => each.id !== id));
  }

  private keep(failed: readonly FailedJob[]): void {
    this.kept = failed;
    void this.store.update(KEY, failed.map(toStored));
    this.changed.fire();
  }

  private follow(): void {
    this.kept = this.stored();
    this.changed.fire();
  }

  private stored(): FailedJob[] {
    const stored = this.store.get(KEY);
    return Array.isArray(stored) ? stored.flatMap(readFailed) : [];
  }
}

function toStored({ error, ...job }: FailedJob): object {
  if (!(error instanceof UserError)) return { ...job, error: { message: messageOf(error) } };
  return { ...job, error: error.texts };
}

/** A failed job as this or another version stored it. Short jobs are not kept. */
function readFailed(stored: unknown): FailedJob[] {
  if (!isObject(stored) || typeof stored.id !== 'string' || typeof stored.ended !== 'number') return [];
  const [spec] = specsIn([stored.spec]);
  const error = isObject(stored.error) ? errorIn(stored.error) : undefined;
  if (spec === undefined || error === undefined) return [];
  const { id, ended, on } = stored;
  return [{ id, spec, ended, error, ...(on === 'cluster' && { on }) }];
}

function errorIn({ what, why, action, message }: Readonly<Record<string, unknown>>): Error | undefined {
  if (typeof message === 'string') return new Error(message);
  const isWhole = typeof what === 'string' && typeof why === 'string' && typeof action === 'string';
  return isWhole ? new UserError(what, why, action) : undefined;
}
