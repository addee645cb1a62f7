/**
 * The extension host's side of the sidecar: jobs and short requests that survive restarts of the process. Does not
 * use VS Code, so that plain Node can test it.
 */
import { CancelledError, UserError } from '../engine/errors';
import { checkpointOf } from '../jobs/titles';
import type {
  DeviceInfo,
  EventOf,
  JobEvent,
  JobInfo,
  JobKind,
  JobOutcome,
  JobSpec,
  ProgressInfo,
} from '../protocol/jobs';
import type { AnswerOf, LogLevel, ParamsOf, RequestName } from '../protocol/messages';
import { type Clock, realClock } from './clock';
import { ask, listen, tell } from './connection';
import { type AttendedWork, Elsewhere } from './elsewhere';
import { Emitter } from './emitter';
import { JobInterrupted, SidecarGone } from './interrupted';
import type { End, SidecarProcess } from './lifecycle';
import { type SidecarStatus, Supervisor, type SupervisorOptions } from './supervisor';
import { SidecarBug } from './wire';

export type { SidecarStatus } from './supervisor';

export interface ClientOptions extends Pick<SupervisorOptions, 'program' | 'fork' | 'log'> {
  readonly clock?: Clock;
  /** Milliseconds without work after which the sidecar ends. Read each time, since the setting may change. */
  readonly idleMs?: () => number;
  readonly logLevel?: () => LogLevel;
}

export interface JobRunOptions<K extends JobKind> {
  readonly onProgress?: (progress: ProgressInfo) => void;
  readonly onEvent?: (event: EventOf<K>) => void;
  /** Receives the id of the job in `jobs` at once. */
  readonly onQueued?: (id: string) => void;
  /** Cancels the job, running or waiting. */
  readonly signal?: AbortSignal;
  /** It is a part of something larger, such as a recipe, which is run again as a whole. */
  readonly isPart?: true;
}

/** The end of a job: its outcome, or the error that its caller gets. */
export type JobEnded = { readonly id: string; readonly spec: JobSpec; readonly on?: JobInfo['on'] } & (
  | { readonly outcome: JobOutcome; readonly error?: undefined }
  | { readonly outcome?: undefined; readonly error: unknown }
);

/** A job without an outcome. */
interface Pending {
  readonly id: string;
  readonly spec: JobSpec;
  readonly onProgress?: (progress: ProgressInfo) => void;
  readonly onEvent?: (event: never) => void;
  readonly signal: AbortSignal;
  readonly resolve: (outcome: JobOutcome) => void;
  readonly reject: (error: unknown) => void;
  info: JobInfo;
  /** The process that runs it; undefined while it waits for one. */
  sentTo?: SidecarProcess;
}

const IDLE_MS = 10 * 60_000;

export class SidecarClient {
  private readonly jobsEmitter = new Emitter<readonly JobInfo[]>();
  private readonly deviceEmitter = new Emitter<DeviceInfo>();
  private readonly progressEmitter = new Emitter<{ readonly id: string } & ProgressInfo>();
  private readonly eventEmitter = new Emitter<{
    readonly id: string;
    readonly spec: JobSpec;
    readonly event: JobEvent;
  }>();
  private readonly endedEmitter = new Emitter<JobEnded>();
  readonly onJobs = this.jobsEmitter.on;
  /** Events of running jobs of all callers. */
  readonly onEvent = this.eventEmitter.on;
  /** Finished jobs of all callers, which are no longer in `jobs`. */
  readonly onEnded = this.endedEmitter.on;
  /** The device that computes, when it becomes known or changes. */
  readonly onDevice = this.deviceEmitter.on;
  /** Progress of jobs and short requests, by id. */
  readonly onProgress = this.progressEmitter.on;
  readonly onStatus: (listener: (status: SidecarStatus) => void) => { dispose(): void };

  private readonly supervisor: Supervisor;
  private readonly pending = new Map<string, Pending>();
  private readonly elsewhere = new Elsewhere({
    changed: () => this.jobsChanged(),
    progress: (progress) => this.progressEmitter.fire(progress),
    ended: (end) => this.endedEmitter.fire(end),
  });
  private lastDevice: DeviceInfo | undefined;
  private shorts = 0;
  private counter = 0;

  constructor({ clock = realClock, idleMs, logLevel, ...rest }: ClientOptions) {
    this.supervisor = new Supervisor(
      { ...rest, clock, idleMs: idleMs ?? (() => IDLE_MS), logLevel: logLevel ?? (() => 'info') },
      {
        connected: (process) => this.listenTo(process),
        lost: (process, end, final) => this.lost(process, end, final),
        restarted: () => this.dispatch(),
        busy: () => this.pending.size > 0 || this.shorts > 0,
      },
    );
    this.onStatus = this.supervisor.onStatus;
  }

  get status(): SidecarStatus {
    return this.supervisor.status;
  }

  get device(): DeviceInfo | undefined {
    return this.lastDevice;
  }

  /** The jobs without an outcome, in their running order; those that run elsewhere are the last. */
  get jobs(): readonly JobInfo[] {
    return [...[...this.pending.values()].map(({ info }) => info), ...this.elsewhere.jobs];
  }

  /** What was asked for; undefined for a job that has ended. */
  specOf(id: string): JobSpec | undefined {
    return this.pending.get(id)?.spec ?? this.elsewhere.specOf(id);
  }

  /** Whether a job waits behind others. The first job may be queued too, while its process starts. */
  isBehind(id: string): boolean {
    const place = [...this.pending.keys()].indexOf(id);
    return place > 0 && this.pending.get(id)!.info.state === 'queued';
  }

  /**
   * Queues a job and waits for its outcome.
   * @throws UserError (DeviceError if the CPU is an alternative), CancelledError, JobInterrupted when the sidecar ends
   *   meanwhile, SidecarBug
   */
  run<S extends JobSpec>(spec: S, options: JobRunOptions<S['kind']> = {}): Promise<JobOutcome<S['kind']>> {
    const { signal = new AbortController().signal } = options;
    if (signal.aborted) return Promise.reject(new CancelledError());
    const id = `job-${++this.counter}`;
    const { onProgress, onEvent } = options as JobRunOptions<JobKind>;
    const done = new Promise<JobOutcome>((resolve, reject) => {
      const info = queued(id, spec);
      this.pending.set(id, { id, spec, onProgress, onEvent, signal, resolve, reject, info });
    });
    const cancel = (): void => void this.cancelUnsent(id);
    signal.addEventListener('abort', cancel, { once: true });
    options.onQueued?.(id);
    this.jobsChanged();
    this.dispatch();
    const settle = (how: { outcome: JobOutcome } | { error: unknown }): void => {
      signal.removeEventListener('abort', cancel);
      this.pending.delete(id);
      this.jobsChanged();
      this.endedEmitter.fire({ id, spec, ...how });
      this.supervisor.rest();
    };
    return done.then(
      (outcome) => {
        settle({ outcome });
        return outcome;
      },
      (error: unknown) => {
        settle({ error });
        throw error;
      },
    );
  }

  /**
   * Lists a job that something else runs, beside those of the sidecar, which do not wait for it.
   * @param work runs it
   * @throws errors of the work
   */
  attend<S extends JobSpec>(
    spec: S,
    work: AttendedWork<S['kind']>,
    options: Pick<JobRunOptions<S['kind']>, 'signal' | 'onProgress' | 'onQueued'> = {},
  ): Promise<JobOutcome<S['kind']>> {
    return this.elsewhere.attend(`job-${++this.counter}`, spec, work, options);
  }

  /** Ends the running job at its next pause, or removes a waiting one from the queue. */
  async cancel(id: string): Promise<void> {
    if (this.elsewhere.cancel(id) || this.cancelUnsent(id)) return;
    const { running } = this.supervisor;
    if (running) await ask(running.connection, 'job/cancel', { id }).catch(() => undefined);
  }

  /**
   * Sends a short request. The long job waits meanwhile.
   * @throws UserError, CancelledError, SidecarGone, SidecarBug
   */
  async request<M extends Exclude<RequestName, 'initialize' | 'job/run' | 'shutdown'>>(
    method: M,
    params: ParamsOf<M>,
    signal?: AbortSignal,
  ): Promise<AnswerOf<M>> {
    this.shorts++;
    try {
      if (signal?.aborted) throw new CancelledError();
      const process = await this.supervisor.started();
      try {
        return await ask(process.connection, method, params, signal);
      } catch (error) {
        if (isAnswer(error)) throw error;
        process.abandon(); // a process without a channel is useless
        throw new SidecarGone((await process.ended).why);
      }
    } finally {
      this.shorts--;
      this.supervisor.rest();
    }
  }

  setLogLevel(level: LogLevel): void {
    const { running } = this.supervisor;
    if (running) tell(running.connection, 'log/level', { level });
  }

  /** Restarts the sidecar in any state. Interrupts the running job, but not the waiting ones. */
  async restart(): Promise<void> {
    await this.supervisor.restart();
    this.dispatch();
  }

  /** Ends the process and all its work. */
  async dispose(): Promise<void> {
    for (const { reject } of this.pending.values()) reject(new CancelledError());
    await this.supervisor.dispose();
  }

  /** Sends waiting jobs. */
  private dispatch(): void {
    this.supervisor.started().then(
      (process) => {
        for (const job of this.pending.values()) if (!job.sentTo) void this.send(job, process);
        this.supervisor.rest();
      },
      (error: unknown) => {
        if (this.status.state === 'restarting') return; // jobs wait for the next process
        for (const job of this.pending.values()) if (!job.sentTo) job.reject(error);
      },
    );
  }

  private async send(job: Pending, process: SidecarProcess): Promise<void> {
    job.sentTo = process;
    try {
      job.resolve(await ask(process.connection, 'job/run', { id: job.id, spec: job.spec }, job.signal));
    } catch (error) {
      if (job.sentTo !== process) return; // the process has ended, and `lost` has decided
      if (isAnswer(error)) job.reject(error);
      else process.abandon();
    }
  }

  /** The process has ended: the running job is lost, and the jobs behind it wait for the next process. */
  private lost(process: SidecarProcess, { why }: End, final: boolean): void {
    const sent = [...this.pending.values()].filter(({ sentTo }) => sentTo === process);
    for (const [place, job] of sent.entries()) {
      const ran = place === 0 || job.info.state === 'running'; // a short one beside the oldest
      job.sentTo = undefined;
      job.info = queued(job.id, job.spec);
      if (job.signal.aborted) job.reject(new CancelledError());
      else if (ran) job.reject(new JobInterrupted(job.spec, why));
    }
    if (final) for (const job of this.pending.values()) job.reject(new JobInterrupted(job.spec, why));
  }

  /** Removes a job that no process has received. */
  private cancelUnsent(id: string): boolean {
    const job = this.pending.get(id);
    if (!job || job.sentTo) return false;
    job.reject(new CancelledError());
    return true;
  }

  private listenTo({ connection }: SidecarProcess): void {
    listen(connection, 'jobs/changed', ({ jobs }) => {
      for (const info of jobs) {
        const job = this.pending.get(info.id);
        if (job) job.info = info;
      }
      this.jobsChanged();
    });
    listen(connection, 'job/progress', (progress) => {
      const { id, ...how } = progress;
      const job = this.pending.get(id);
      if (job) job.info = { ...job.info, progress: how };
      job?.onProgress?.(how);
      this.progressEmitter.fire(progress);
    });
    listen(connection, 'job/event', ({ id, event }) => {
      const job = this.pending.get(id);
      if (!job) return;
      job.onEvent?.(event as never);
      this.eventEmitter.fire({ id, spec: job.spec, event });
    });
    listen(connection, 'device/changed', (device) => {
      this.lastDevice = device;
      this.deviceEmitter.fire(device);
    });
  }

  private jobsChanged(): void {
    this.jobsEmitter.fire(this.jobs);
  }
}

/** Whether the error comes from the sidecar. Other errors come from the channel. */
function isAnswer(error: unknown): boolean {
  return error instanceof UserError || error instanceof CancelledError || error instanceof SidecarBug;
}

function queued(id: string, spec: JobSpec): JobInfo {
  return { id, kind: spec.kind, checkpoint: checkpointOf(spec), state: 'queued' };
}
