/** The queue of long jobs: one runs and the others wait in order. Each can be cancelled. */
import { CancelledError } from '../engine/errors';
import type { JobInfo, JobKind, ProgressInfo } from '../protocol/jobs';

/** A job for the queue. */
export interface QueuedJob<T> {
  readonly id: string;
  readonly kind: JobKind;
  readonly checkpoint: string;
  readonly run: (signal: AbortSignal) => Promise<T>;
}

interface Entry {
  readonly job: QueuedJob<unknown>;
  readonly controller: AbortController;
  readonly start: () => void;
  readonly refuse: (error: Error) => void;
  running: boolean;
  progress?: ProgressInfo;
}

export class JobQueue {
  private entries: Entry[] = [];
  private readonly whenEmpty: (() => void)[] = [];

  /** @param changed called when a job is added, starts or ends */
  constructor(private readonly changed: (jobs: readonly JobInfo[]) => void) {}

  /**
   * Runs the job after those before it.
   * @param signal cancels it, waiting or running
   * @throws the job's errors; CancelledError when it is cancelled before it starts
   */
  async add<T>(job: QueuedJob<T>, signal?: AbortSignal): Promise<T> {
    if (signal?.aborted) throw new CancelledError();
    const controller = new AbortController();
    const cancel = (): void => void this.cancel(job.id);
    signal?.addEventListener('abort', cancel, { once: true });
    let entry: Entry | undefined;
    try {
      await new Promise<void>((start, refuse) => {
        entry = { job, controller, start, refuse, running: false };
        this.entries.push(entry);
        this.advance();
      });
      return await job.run(controller.signal);
    } finally {
      signal?.removeEventListener('abort', cancel);
      this.entries = this.entries.filter((other) => other !== entry);
      this.advance();
    }
  }

  /** Ends a running job at its next pause, or removes a waiting one. @returns whether the job exists */
  cancel(id: string): boolean {
    const entry = this.entries.find(({ job }) => job.id === id);
    if (!entry) return false;
    entry.controller.abort();
    if (!entry.running) entry.refuse(new CancelledError());
    return true;
  }

  cancelAll(): void {
    for (const { job } of [...this.entries].reverse()) this.cancel(job.id);
  }

  /** Resolves when the queue is empty. */
  empty(): Promise<void> {
    if (this.entries.length === 0) return Promise.resolve();
    return new Promise((done) => this.whenEmpty.push(done));
  }

  progress(id: string, progress: ProgressInfo): void {
    const entry = this.entries.find(({ job }) => job.id === id);
    if (entry) entry.progress = progress;
  }

  list(): JobInfo[] {
    return this.entries.map(({ job: { id, kind, checkpoint }, running, progress }) => {
      return { id, kind, checkpoint, state: running ? 'running' : 'queued', ...(progress && { progress }) };
    });
  }

  private advance(): void {
    const next = this.entries.find(({ controller }) => !controller.signal.aborted);
    if (next && !this.entries.some(({ running }) => running)) {
      next.running = true;
      next.start();
    }
    if (this.entries.length === 0) for (const done of this.whenEmpty.splice(0)) done();
    this.changed(this.list());
  }
}
