/** The jobs of commands and of the results panel: the last one, and those under way. */
import type { JobOutcome, JobSpec } from '../protocol/jobs';
import type { JobJournal } from './job-journal';
import { type ClientOptions, type RunOptions, SidecarClient } from '../sidecar/client';

export class NotedSidecar extends SidecarClient {
  /** @param note is told of every job before it runs */
  constructor(
    options: ClientOptions,
    private readonly note: (spec: JobSpec) => void,
    private readonly journal: JobJournal,
  ) {
    super(options);
  }

  override run<S extends JobSpec>(spec: S, options?: RunOptions<S['kind']>): Promise<JobOutcome<S['kind']>> {
    // A retraining is followed by an evaluation on the calibration rows, which nobody asked for.
    if (spec.kind !== 'evaluate' || spec.text !== undefined) this.note(spec);
    return super.run(spec, options).finally(this.journal.begun(spec));
  }
}
