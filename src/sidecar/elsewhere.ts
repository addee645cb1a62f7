/** Jobs that run elsewhere than in the sidecar: listed, told of and cancelled like its own. Does not use VS Code. */
import { CancelledError } from '../engine/errors';
import { checkpointOf } from '../jobs/titles';
import type { JobInfo, JobKind, JobOutcome, JobSpec, ProgressInfo } from '../protocol/jobs';
import type { JobEnded, JobRunOptions } from './client';

/** Runs a job elsewhere. It ends soon after its signal aborts. */
export type AttendedWork<K extends JobKind> = (around: {
  readonly signal: AbortSignal;
  readonly onProgress: (progress: ProgressInfo) => void;
}) => Promise<JobOutcome<K>>;

interface Listener {
  readonly changed: () => void;
  readonly progress: (progress: { readonly id: string } & ProgressInfo) => void;
  readonly ended: (end: JobEnded) => void;
}

interface RunningElsewhere {
  info: JobInfo;
  readonly spec: JobSpec;
  readonly controller: AbortController;
}

export class Elsewhere {
  private readonly running = new Map<string, RunningElsewhere>();

  constructor(private readonly listener: Listener) {}

  get jobs(): readonly JobInfo[] {
    return [...this.running.values()].map(({ info }) => info);
  }

  specOf(id: string): JobSpec | undefined {
    return this.running.get(id)?.spec;
  }

  /** @returns whether there is such a job */
  cancel(id: string): boolean {
    const job = this.running.get(id);
    job?.controller.abort();
    return job !== undefined;
  }

  async attend<K extends JobKind>(
    id: string,
    spec: JobSpec,
    work: AttendedWork<K>,
    { signal, onProgress, onQueued }: Pick<JobRunOptions<K>, 'signal' | 'onProgress' | 'onQueued'>,
  ): Promise<JobOutcome<K>> {
    if (signal?.aborted) throw new CancelledError();
    const controller = new AbortController();
    const info: JobInfo = { id, kind: spec.kind, checkpoint: checkpointOf(spec), state: 'running', on: 'cluster' };
    const job: RunningElsewhere = { info, spec, controller };
    this.running.set(id, job);
    onQueued?.(id);
    this.listener.changed();
    const settle = (how: { outcome: JobOutcome } | { error: unknown }): void => {
      this.running.delete(id);
      this.listener.changed();
      this.listener.ended({ id, spec, on: 'cluster', ...how });
    };
    try {
      const outcome = await work({
        signal: AbortSignal.any([controller.signal, ...(signal ? [signal] : [])]),
        onProgress: (progress) => {
          job.info = { ...info, progress };
          onProgress?.(progress);
          this.listener.progress({ id, ...progress });
        },
      });
      settle({ outcome });
      return outcome;
    } catch (error) {
      settle({ error });
      throw error;
    }
  }
}
