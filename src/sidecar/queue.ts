/**
 * The queue of jobs: of the long ones and of the short ones, one runs and the others wait in order. A short one runs beside
 * a long one where memory has room for both. Each can be cancelled.
 */
import { CancelledError } from '../engine/errors';
import type { JobInfo, JobKind, ProgressInfo } from '../protocol/jobs';
import type { Lane } from '../jobs/define';
import type { MemoryBeside } from './lanes';

/** A job for the queue. */
export interface QueuedJob<T> {
  readonly id: string;
  readonly kind: JobKind;
  readonly checkpoint: string;
  /** `long` if absent. */
  readonly lane?: Lane;
  /** What a short job needs beside a long one. */
  readonly memory?: () => Promise<MemoryBeside>;
  readonly run: (signal: AbortSignal) => Promise<T>;
}

interface Entry {
  readonly job: QueuedJob<unknown>;
  readonly controller: AbortController;
  readonly start: () => void;
  readonly refuse: (error: Error) => void;
  running: boolean;
  progress?: ProgressInfo;
  /** There is too little memory for it beside what runs. */
  lacks?: MemoryBeside;
  /** Its memory is looked at. */
  looking: boolean;
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
        entry = { job, controller, start, refuse, running: false, looking: false };
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

  /** No job runs or waits. */
  get isEmpty(): boolean {
    return this.entries.length === 0;
  }

  /** Resolves when the queue is empty. */
  empty(): Promise<void> {
    if (this.entries.length === 0) return Promise.resolve();
    return new Promise((done) => this.whenEmpty.push(done));
  }

  progress(id: string, progress: ProgressInfo): void {
    const entry = this.entries.find(({ job }) => job.id === id);
    if (entry) entry.progress = progress;
    // Something may have given memory back.
    if (this.entries.some(({ lacks }) => lacks)) this.advance();
  }

  list(): JobInfo[] {
    return this.entries.map(({ job: { id, kind, checkpoint }, running, progress, lacks }) => {
      const state = running ? ('running' as const) : ('queued' as const);
      return { id, kind, checkpoint, state, ...(progress && { progress }), ...(lacks && !running && { lacks }) };
    });
  }

  private advance(): void {
    const running = this.entries.filter((entry) => entry.running);
    const next = this.entries.find(({ controller }) => !controller.signal.aborted);
    if (next && running.length === 0) this.start(next);
    else if (running.length === 1) this.startBeside(running[0]);
    if (this.entries.length === 0) for (const done of this.whenEmpty.splice(0)) done();
    this.changed(this.list());
  }

  private start(entry: Entry): void {
    entry.running = true;
    entry.lacks = undefined;
    entry.start();
  }

  /** A short job beside a long one, or the next long one beside a short job. */
  private startBeside({ job: { lane: runs = 'long' } }: Entry): void {
    const waiting = this.entries.filter(({ running, controller }) => !running && !controller.signal.aborted);
    const first = (wanted: Lane): Entry | undefined => waiting.find(({ job: { lane = 'long' } }) => lane === wanted);
    if (runs === 'short') {
      const [next] = waiting.filter(({ job: { lane = 'long' } }) => lane !== 'short');
      if (next && (next.job.lane ?? 'long') === 'long') this.start(next);
      return;
    }
    const short = runs === 'long' ? first('short') : undefined;
    if (short && !short.looking) void this.startIfRoom(short);
  }

  private async startIfRoom(entry: Entry): Promise<void> {
    entry.looking = true;
    const memory = await entry.job.memory?.().catch(() => undefined);
    entry.looking = false;
    if (!this.entries.includes(entry) || entry.running || entry.controller.signal.aborted) return;
    const running = this.entries.filter((each) => each.running);
    const isBeside = running.length === 1 && (running[0].job.lane ?? 'long') === 'long';
    if (running.length > 0 && !isBeside) return;
    if (running.length === 0 || memory === undefined || memory.needs <= memory.may) {
      this.start(entry);
    } else entry.lacks = memory;
    this.changed(this.list());
  }
}
