/** Runs jobs in this process, as the command line and the sidecar do. */
import { completeOptions } from '../../src/jobs/complete';
import { JOBS } from '../../src/jobs/definitions';
import type { EventFor, GivenFor, Kind } from '../../src/jobs/kinds';
import { type Outcome, runJob } from '../../src/jobs/run-job';
import type { JobOptions } from '../../src/engine/progress';

/** Runs a job with the options of a caller on the CPU. */
export function runOn<K extends Kind>(
  kind: K,
  given: GivenFor<K>,
  { job = {}, emit = () => undefined }: { job?: JobOptions; emit?: (event: EventFor<K>) => void } = {},
): Promise<Outcome<K>> {
  return runJob(kind, completeOptions(JOBS[kind], { ...given, device: 'cpu', threads: 1 }), { job, hooks: {}, emit });
}
