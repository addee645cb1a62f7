/**
 * The extension host's side of the sidecar: starts it when it is first needed, sends it jobs and short requests, starts
 * it again when it crashes, lets it go when it idles. Knows nothing of VS Code, so that plain Node can test it.
 */
import { CancelledError, UserError } from '../engine/errors';
import type { DeviceInfo, EventOf, JobInfo, JobKind, JobOutcome, JobSpec, ProgressInfo } from '../protocol/jobs';
import type { AnswerOf, InitializeResult, LogLevel, ParamsOf, RequestName } from '../protocol/messages';
import { ask, listen, tell } from './connection';
import { Emitter } from './emitter';
import { JobInterrupted, SidecarGone } from './interrupted';
import { type End, type Fork, forkSidecar, type Log, type SidecarProcess } from './lifecycle';
import { RestartPolicy } from './restart-policy';
import { SidecarBug } from './wire';

/** Time as the client sees it. */
export interface Clock {
  /** Milliseconds. */
  now(): number;
  /** @returns what cancels it */
  later(ms: number, body: () => void): () => void;
}

export interface ClientOptions {
  /** Path of dist/sidecar.cjs. */
  readonly program: string;
  readonly fork: Fork;
  readonly log: Log;
  readonly clock?: Clock;
  /** Milliseconds without work after which the sidecar ends; asked each time, for a setting may change. */
  readonly idleMs?: () => number;
  readonly logLevel?: () => LogLevel;
}

export type SidecarStatus =
  | { readonly state: 'stopped' }
  | { readonly state: 'starting' }
  | { readonly state: 'ready'; readonly pid: number; readonly versions: InitializeResult['versions'] }
  | { readonly state: 'restarting'; readonly why: string; readonly inMs: number }
  /** Nobody starts it any more but `restart`. */
  | { readonly state: 'failed'; readonly why: string };

export interface RunOptions<K extends JobKind> {
  readonly onProgress?: (progress: ProgressInfo) => void;
  readonly onEvent?: (event: EventOf<K>) => void;
  /** Cancels the job, running or waiting. */
  readonly signal?: AbortSignal;
}

/** A job that has no outcome yet. */
interface Pending {
  readonly id: string;
  readonly spec: JobSpec;
  readonly onProgress?: (progress: ProgressInfo) => void;
  readonly onEvent?: (event: never) => void;
  readonly signal: AbortSignal;
  readonly resolve: (outcome: JobOutcome) => void;
  readonly reject: (error: unknown) => void;
  /** The process that has it; undefined while it waits for one. */
  sentTo?: SidecarProcess;
}

const IDLE_MS = 10 * 60_000;

const realClock: Clock = {
  now: () => performance.now(),
  later: (ms, body) => {
    const timer = setTimeout(body, ms);
    timer.unref();
    return () => clearTimeout(timer);
  },
};

export class SidecarClient {
  private readonly statusEmitter = new Emitter<SidecarStatus>();
  private readonly jobsEmitter = new Emitter<readonly JobInfo[]>();
  private readonly deviceEmitter = new Emitter<DeviceInfo>();
  private readonly progressEmitter = new Emitter<{ readonly id: string } & ProgressInfo>();
  readonly onStatus = this.statusEmitter.on;
  readonly onJobs = this.jobsEmitter.on;
  /** The device that computes, when it becomes known or another. */
  readonly onDevice = this.deviceEmitter.on;
  /** Progress of jobs and short requests, by id. */
  readonly onProgress = this.progressEmitter.on;

  private readonly clock: Clock;
  private readonly policy: RestartPolicy;
  private readonly pending = new Map<string, Pending>();
  private current: SidecarStatus = { state: 'stopped' };
  private known: readonly JobInfo[] = [];
  private lastDevice: DeviceInfo | undefined;
  private process: SidecarProcess | undefined;
  private starting: Promise<SidecarProcess> | undefined;
  private stopping: Promise<void> | undefined;
  private shorts = 0;
  private counter = 0;
  private cancelTimer: () => void = () => undefined;
  private disposed = false;

  constructor(private readonly options: ClientOptions) {
    this.clock = options.clock ?? realClock;
    this.policy = new RestartPolicy(() => this.clock.now());
  }

  get status(): SidecarStatus {
    return this.current;
  }

  get device(): DeviceInfo | undefined {
    return this.lastDevice;
  }

  /** Running first, then those that wait. */
  get jobs(): readonly JobInfo[] {
    const listed = new Map(this.known.map((job) => [job.id, job]));
    return [...this.pending.values()].map(({ id, spec }) => {
      return listed.get(id) ?? { id, kind: spec.kind, checkpoint: checkpointName(spec), state: 'queued' };
    });
  }

  /**
   * Queues a job and waits for its outcome.
   * @throws UserError (DeviceError where the CPU is an alternative), CancelledError, JobInterrupted when the sidecar ended
   *   under it, SidecarBug
   */
  run<S extends JobSpec>(spec: S, options: RunOptions<S['kind']> = {}): Promise<JobOutcome<S['kind']>> {
    const { signal = new AbortController().signal } = options;
    if (signal.aborted) return Promise.reject(new CancelledError());
    const id = `job-${++this.counter}`;
    const { onProgress, onEvent } = options as RunOptions<JobKind>;
    const done = new Promise<JobOutcome>((resolve, reject) => {
      this.pending.set(id, { id, spec, onProgress, onEvent, signal, resolve, reject });
    });
    signal.addEventListener('abort', () => this.cancelUnsent(id), { once: true });
    this.jobsChanged();
    this.dispatch();
    return done.finally(() => {
      this.pending.delete(id);
      this.jobsChanged();
      this.rest();
    });
  }

  /** Ends the running job at its next pause, or takes a waiting one out of the queue. */
  async cancel(id: string): Promise<void> {
    if (this.cancelUnsent(id)) return;
    if (this.process) await ask(this.process.connection, 'job/cancel', { id }).catch(() => undefined);
  }

  /**
   * A short request; the long job waits meanwhile.
   * @throws UserError, CancelledError, SidecarGone, SidecarBug
   */
  async request<M extends Exclude<RequestName, 'initialize' | 'job/run' | 'shutdown'>>(
    method: M,
    params: ParamsOf<M>,
    signal?: AbortSignal,
  ): Promise<AnswerOf<M>> {
    this.shorts++;
    this.cancelTimer();
    try {
      if (signal?.aborted) throw new CancelledError();
      const process = await this.started();
      const gone = process.ended.then(({ why }): never => {
        throw new SidecarGone(why);
      });
      gone.catch(() => undefined);
      const answer = ask(process.connection, method, params, signal);
      answer.catch(() => undefined); // when the process is gone, that is what to say
      return await Promise.race([answer, gone]);
    } finally {
      this.shorts--;
      this.rest();
    }
  }

  setLogLevel(level: LogLevel): void {
    if (this.process) tell(this.process.connection, 'log/level', { level });
  }

  /** Starts it afresh, whatever happened before. The running job is interrupted. */
  async restart(): Promise<void> {
    this.policy.forget();
    this.cancelTimer();
    const { process } = this;
    if (process) {
      process.kill();
      await process.ended;
    }
    this.starting = undefined;
    this.setStatus({ state: 'stopped' });
    await this.started();
    this.dispatch();
  }

  /** Ends the process, and with it everything that was asked of it. */
  async dispose(): Promise<void> {
    this.disposed = true;
    this.cancelTimer();
    for (const { reject } of this.pending.values()) reject(new CancelledError());
    await this.process?.stop();
    await this.stopping;
  }

  /** Sends what waits. */
  private dispatch(): void {
    this.cancelTimer();
    if (this.current.state === 'restarting') return; // the restart does it
    this.started().then(
      (process) => {
        for (const job of this.pending.values()) if (!job.sentTo) void this.send(job, process);
      },
      (error: unknown) => {
        if (this.current.state === 'restarting') return; // they wait for the next process
        for (const job of this.pending.values()) if (!job.sentTo) job.reject(error);
      },
    );
  }

  private async send(job: Pending, process: SidecarProcess): Promise<void> {
    job.sentTo = process;
    try {
      job.resolve(await ask(process.connection, 'job/run', { id: job.id, spec: job.spec }, job.signal));
    } catch (error) {
      if (job.sentTo !== process) return; // the process is gone, and `lost` has decided
      if (isAnswer(error)) job.reject(error);
      else process.abandon();
    }
  }

  /** Takes a job out that no process has yet. */
  private cancelUnsent(id: string): boolean {
    const job = this.pending.get(id);
    if (!job || job.sentTo) return false;
    job.reject(new CancelledError());
    return true;
  }

  /** The running process, started if need be. @throws SidecarGone when it cannot be or must not be */
  private started(): Promise<SidecarProcess> {
    if (this.disposed) return Promise.reject(new SidecarGone('the editor closes'));
    if (this.current.state === 'failed') {
      return Promise.reject(new SidecarGone(this.current.why, 'Look into the log, and restart the sidecar.'));
    }
    this.starting ??= this.start();
    return this.starting;
  }

  private async start(): Promise<SidecarProcess> {
    const { log, logLevel } = this.options;
    await this.stopping;
    this.setStatus({ state: 'starting' });
    const process = this.fork();
    void process.ended.then((end) => this.lost(process, end));
    listen(process.connection, 'jobs/changed', ({ jobs }) => {
      this.known = jobs;
      this.jobsChanged();
    });
    listen(process.connection, 'job/progress', (progress) => {
      this.pending.get(progress.id)?.onProgress?.(progress);
      this.progressEmitter.fire(progress);
    });
    listen(process.connection, 'job/event', ({ id, event }) => this.pending.get(id)?.onEvent?.(event as never));
    listen(process.connection, 'device/changed', (device) => {
      this.lastDevice = device;
      this.deviceEmitter.fire(device);
    });
    try {
      const { pid, versions } = await process.greet(logLevel?.() ?? 'info');
      log.info(
        `sidecar ${pid}: Coppice ${versions.coppice}, Node ${versions.node}, onnxruntime ${versions.onnxruntime}`,
      );
      this.setStatus({ state: 'ready', pid, versions });
      this.rest();
      return process;
    } catch (error) {
      process.kill();
      throw new SidecarGone(error instanceof Error ? error.message : String(error));
    }
  }

  private fork(): SidecarProcess {
    const { fork, program, log } = this.options;
    try {
      return (this.process = forkSidecar(fork, program, log));
    } catch (error) {
      this.starting = undefined;
      this.setStatus({ state: 'stopped' });
      throw new SidecarGone(error instanceof Error ? error.message : String(error));
    }
  }

  /** The process is gone: says what is lost, and starts another one where that makes sense. */
  private lost(process: SidecarProcess, { wanted, why }: End): void {
    if (this.process !== process) return;
    this.process = undefined;
    this.starting = undefined;
    this.known = [];
    process.close();
    const sent = [...this.pending.values()].filter(({ sentTo }) => sentTo === process);
    for (const [place, job] of sent.entries()) {
      job.sentTo = undefined;
      if (job.signal.aborted) job.reject(new CancelledError());
      else if (place === 0) job.reject(new JobInterrupted(job.spec, why)); // the oldest is the one that ran
    }
    if (wanted || this.disposed) {
      this.setStatus({ state: 'stopped' });
      return;
    }
    this.options.log.error(`the sidecar is gone: ${why}`);
    const verdict = this.policy.crashed();
    if (verdict === 'give up') {
      this.setStatus({ state: 'failed', why });
      for (const job of this.pending.values()) job.reject(new JobInterrupted(job.spec, why));
      return;
    }
    this.setStatus({ state: 'restarting', why, inMs: verdict.restartInMs });
    this.starting = new Promise((resolve, reject) => {
      this.cancelTimer();
      this.clock.later(verdict.restartInMs, () => {
        if (this.current.state !== 'restarting') {
          reject(new SidecarGone(why));
          return;
        }
        this.start().then(resolve, reject);
      });
    });
    this.starting.then(
      () => this.dispatch(),
      () => undefined, // the end of that process is another crash
    );
  }

  /** Lets the process go after a while, once nobody needs it. */
  private rest(): void {
    this.cancelTimer();
    if (this.pending.size > 0 || this.shorts > 0 || this.current.state !== 'ready') return;
    this.cancelTimer = this.clock.later(this.options.idleMs?.() ?? IDLE_MS, () => {
      const { process } = this;
      if (!process || this.pending.size > 0 || this.shorts > 0) return;
      this.options.log.info('the sidecar had nothing to do and ends');
      this.process = undefined;
      this.starting = undefined;
      this.setStatus({ state: 'stopped' });
      this.stopping = process.stop();
    });
  }

  private setStatus(status: SidecarStatus): void {
    this.current = status;
    this.statusEmitter.fire(status);
  }

  private jobsChanged(): void {
    this.jobsEmitter.fire(this.jobs);
  }
}

/** Whether the sidecar said so; anything else is the channel's. */
function isAnswer(error: unknown): boolean {
  return error instanceof UserError || error instanceof CancelledError || error instanceof SidecarBug;
}

function checkpointName(spec: JobSpec): string {
  return spec.kind === 'samples' ? (spec.columns[0]?.checkpoint ?? '') : spec.checkpoint;
}
