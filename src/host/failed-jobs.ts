/** The jobs that failed while this window was open, with their errors. Does not use VS Code. */
import { CancelledError } from '../engine/errors';
import { isSameJob } from '../jobs/same-job';
import type { JobEnded } from '../sidecar/client';
import { Emitter } from '../sidecar/emitter';
import type { FailedJob } from '../views/jobs/line';
import { PartsFailed } from './cluster-looks';

const MAX_KEPT = 20;

export class FailedJobs {
  private kept: readonly FailedJob[] = [];
  private readonly changed = new Emitter<void>();
  readonly onChange = this.changed.on;

  /** @param now milliseconds since the epoch */
  constructor(private readonly now: () => number = Date.now) {}

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
    const own = failed ? [{ id, spec, ...(on && { on }), error, ended: this.now() }] : [];
    this.keep([...own, ...others].slice(0, MAX_KEPT));
  }

  dismiss(id: string): void {
    this.keep(this.kept.filter((each) => each.id !== id));
  }

  private keep(failed: readonly FailedJob[]): void {
    this.kept = failed;
    this.changed.fire();
  }
}
