/** A sidecar client that notes the last job and the running jobs of commands and the results panel, but not parts of recipes. */
import { CancelledError } from '../../engine/errors';
import type { JobOutcome, JobSpec } from '../../protocol/jobs';
import type { JobJournal } from './job-journal';
import { type ClientOptions, type JobRunOptions, SidecarClient } from '../../sidecar/client';

export class NotedSidecar extends SidecarClient {
  /** @param note receives every job before it runs */
  constructor(
    options: ClientOptions,
    private readonly note: (spec: JobSpec) => void,
    private readonly journal: JobJournal,
  ) {
    super(options);
  }

  override run<S extends JobSpec>(spec: S, options?: JobRunOptions<S['kind']>): Promise<JobOutcome<S['kind']>> {
    if (options?.isPart) return super.run(spec, options);
    // The panel evaluates a new adapter on its own. That job is not the user's.
    if (spec.kind !== 'eval' || spec.text !== undefined) this.note(spec);
    const ended = this.journal.begun(spec);
    return super
      .run(spec, options)
      .catch((error: unknown) => {
        if (error instanceof CancelledError) this.journal.cancel(spec);
        throw error;
      })
      .finally(ended);
  }
}
