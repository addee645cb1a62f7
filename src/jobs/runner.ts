/** Runs jobs for programs that put several together: recipes and agents. Each face has its own: see `JobRunner`. */
import type { JobOptions } from '../engine/progress';
import type { EventOf, JobKind, JobOutcome, Jobs } from '../protocol/jobs';

/** What goes with a job besides its options. */
export interface RunnerOptions<K extends JobKind> extends JobOptions {
  readonly onEvent?: (event: EventOf<K>) => void;
}

/**
 * Runs one job to its end. The command line runs it in its own process, VS Code in the sidecar.
 * @param spec its kind, its options, and the folders for its record
 * @throws UserError, CancelledError
 */
export type JobRunner = <K extends JobKind>(
  spec: Jobs[K]['spec'],
  options?: RunnerOptions<K>,
) => Promise<JobOutcome<K>>;
