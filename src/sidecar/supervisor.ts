/**
 * Supervises the sidecar's process: starts it on first use, restarts it after crashes, and ends it when it is idle.
 * Its owner handles the work that is lost.
 */
import { messageOf } from '../engine/errors';
import { l10n } from '../l10n';
import type { InitializeResult, LogLevel } from '../protocol/messages';
import type { Clock } from './clock';
import { Emitter } from './emitter';
import { SidecarGone } from './interrupted';
import { type End, type Fork, forkSidecar, type Log, type SidecarProcess } from './lifecycle';
import { RestartPolicy } from './restart-policy';

export type SidecarStatus =
  | { readonly state: 'stopped' }
  | { readonly state: 'starting' }
  | { readonly state: 'ready'; readonly pid: number; readonly versions: InitializeResult['versions'] }
  | { readonly state: 'restarting'; readonly why: string; readonly inMs: number }
  /** Only `restart` starts it again. */
  | { readonly state: 'failed'; readonly why: string };

export interface SupervisorOptions {
  /** Path of dist/sidecar.cjs. */
  readonly program: string;
  readonly fork: Fork;
  readonly log: Log;
  readonly clock: Clock;
  /** Milliseconds without work after which the process ends. Read each time, since the setting may change. */
  readonly idleMs: () => number;
  readonly logLevel: () => LogLevel;
}

/** Callbacks to the owner of the work. */
export interface Owner {
  /** A process was created; its notifications can be listened to. */
  readonly connected: (process: SidecarProcess) => void;
  /** A process has ended, and its work is lost. `final`: it is not restarted automatically. */
  readonly lost: (process: SidecarProcess, end: End, final: boolean) => void;
  /** A new process runs after a crash. */
  readonly restarted: () => void;
  /** Whether there is work, so that the process must keep running. */
  readonly busy: () => boolean;
}

export class Supervisor {
  private readonly statusEmitter = new Emitter<SidecarStatus>();
  readonly onStatus = this.statusEmitter.on;
  private readonly policy: RestartPolicy;
  private current: SidecarStatus = { state: 'stopped' };
  private process: SidecarProcess | undefined;
  private starting: Promise<SidecarProcess> | undefined;
  private stopping: Promise<void> | undefined;
  private restarting: Promise<void> | undefined;
  private cancelRest: () => void = () => undefined;
  private cancelRestart: () => void = () => undefined;
  private disposed = false;

  constructor(
    private readonly options: SupervisorOptions,
    private readonly owner: Owner,
  ) {
    this.policy = new RestartPolicy(() => options.clock.now());
  }

  get status(): SidecarStatus {
    return this.current;
  }

  /** The running process, if any. */
  get running(): SidecarProcess | undefined {
    return this.process;
  }

  /** Returns the running process, and starts it if needed. @throws SidecarGone when it cannot or must not start */
  started(): Promise<SidecarProcess> {
    this.cancelRest();
    if (this.disposed) return Promise.reject(new SidecarGone(l10n.t('the editor is closing')));
    if (this.current.state === 'failed') {
      return Promise.reject(
        new SidecarGone(
          this.current.why,
          l10n.t('See the log for details, then run “Coppice: Restart Compute Process”.'),
        ),
      );
    }
    this.starting ??= this.start();
    return this.starting;
  }

  /** Restarts it in any state. Calls during the restart get the same process. */
  restart(): Promise<void> {
    this.restarting ??= this.startAfresh().finally(() => (this.restarting = undefined));
    return this.restarting;
  }

  /** Called when work is done: ends the process after a while without work. */
  rest(): void {
    this.cancelRest();
    if (this.owner.busy() || this.current.state !== 'ready') return;
    this.cancelRest = this.options.clock.later(this.options.idleMs(), () => {
      const { process } = this;
      if (!process || this.owner.busy()) return;
      this.options.log.info('the compute process had nothing to do and ends');
      this.process = undefined;
      this.starting = undefined;
      this.setStatus({ state: 'stopped' });
      this.stopping = process.stop();
    });
  }

  async dispose(): Promise<void> {
    this.disposed = true;
    this.cancelRest();
    this.cancelRestart();
    await this.process?.stop();
    await this.stopping;
  }

  private async startAfresh(): Promise<void> {
    this.policy.forget();
    await this.stopping; // a start that waits for it has its process afterwards
    const { process } = this;
    if (process) {
      process.kill();
      await process.ended;
    }
    this.starting = undefined;
    this.setStatus({ state: 'stopped' });
    await this.started();
  }

  private async start(): Promise<SidecarProcess> {
    const { log, logLevel } = this.options;
    await this.stopping;
    if (this.disposed) throw new SidecarGone(l10n.t('the editor is closing'));
    this.setStatus({ state: 'starting' });
    const process = this.fork();
    void process.ended.then((end) => this.lost(process, end));
    this.owner.connected(process);
    try {
      const { pid, versions } = await process.greet(logLevel());
      const { coppice, node, onnxruntime } = versions;
      log.info(`compute process ${pid}: Coppice ${coppice}, Node ${node}, onnxruntime ${onnxruntime}`);
      this.setStatus({ state: 'ready', pid, versions });
      this.rest();
      return process;
    } catch (error) {
      process.kill();
      throw new SidecarGone(messageOf(error));
    }
  }

  private fork(): SidecarProcess {
    const { fork, program, log } = this.options;
    try {
      return (this.process = forkSidecar(fork, program, log));
    } catch (error) {
      this.starting = undefined;
      this.setStatus({ state: 'stopped' });
      throw new SidecarGone(messageOf(error));
    }
  }

  /** Handles the end of the process: reports lost work and decides about a restart. */
  private lost(process: SidecarProcess, end: End): void {
    if (this.process !== process) return;
    this.process = undefined;
    this.starting = undefined;
    process.close();
    const verdict = end.wanted || this.disposed ? undefined : this.policy.crashed();
    if (verdict !== undefined) this.options.log.error(`the compute process ended: ${end.why}`);
    if (verdict === undefined) this.setStatus({ state: 'stopped' });
    else if (verdict === 'give up') this.setStatus({ state: 'failed', why: end.why });
    else this.restartIn(verdict.restartInMs, end.why);
    this.owner.lost(process, end, verdict === 'give up' || this.disposed);
  }

  private restartIn(inMs: number, why: string): void {
    this.cancelRest();
    this.setStatus({ state: 'restarting', why, inMs });
    const starting = new Promise<SidecarProcess>((resolve, reject) => {
      const cancel = this.options.clock.later(inMs, () => {
        if (this.starting === starting) this.start().then(resolve, reject);
        else reject(new SidecarGone(why)); // restarted by hand
      });
      this.cancelRestart = () => {
        cancel();
        reject(new SidecarGone(why));
      };
    });
    this.starting = starting;
    starting.then(
      () => this.owner.restarted(),
      () => undefined, // the end of that process is another crash
    );
  }

  private setStatus(status: SidecarStatus): void {
    this.current = status;
    this.statusEmitter.fire(status);
  }
}
