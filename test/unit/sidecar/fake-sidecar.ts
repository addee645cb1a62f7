/** Sidecars without a process: what `fork` gives is an object whose other end the test holds. */
import type { ChildProcess } from 'node:child_process';
import { EventEmitter } from 'node:events';
import { CancelledError } from '../../../src/engine/errors';
import type { JobInfo, JobOutcome, JobSpec } from '../../../src/protocol/jobs';
import { PROTOCOL_VERSION } from '../../../src/protocol/messages';
import { answer, connectTo, notify } from '../../../src/sidecar/connection';
import type { Fork } from '../../../src/sidecar/lifecycle';

/** One end of a channel: what is sent here arrives there. */
class End extends EventEmitter {
  other!: End;
  readonly stdout = null;
  readonly stderr = null;
  connected = true;

  constructor(readonly pid: number) {
    super();
  }

  send(message: unknown, _handle: unknown, _options: unknown, done: (error: Error | null) => void): boolean {
    const text = JSON.stringify(message);
    setImmediate(() => {
      if (this.other.connected) this.other.emit('message', JSON.parse(text));
      done(null);
    });
    return true;
  }

  /** Of the host's end: what `kill` of a child process does. */
  kill(signal: NodeJS.Signals): boolean {
    if (this.connected) this.end(null, signal);
    return true;
  }

  end(code: number | null, signal: NodeJS.Signals | null): void {
    this.connected = this.other.connected = false;
    setImmediate(() => this.emit('exit', code, signal));
  }
}

interface HeldJob {
  readonly id: string;
  readonly spec: JobSpec;
  readonly finish: (outcome: Partial<JobOutcome>) => void;
}

/** One sidecar, of which the test decides what it does. */
export class FakeSidecar {
  readonly jobs: HeldJob[] = [];
  readonly connection;
  private readonly host: End;
  /** The environment and arguments of the fork. */
  constructor(
    pid: number,
    readonly options: Parameters<Fork>[2],
    behaviour: Behaviour,
  ) {
    const end = new End(pid);
    this.host = new End(pid);
    end.other = this.host;
    this.host.other = end;
    this.connection = connectTo(end as unknown as ChildProcess);
    answer(this.connection, 'initialize', () => {
      if (behaviour.deaf) return new Promise(() => undefined);
      const versions = { coppice: '0', node: '0', onnxruntime: '0' };
      return Promise.resolve({ protocol: PROTOCOL_VERSION, pid, versions });
    });
    answer(this.connection, 'job/run', ({ id, spec }, signal) => {
      return new Promise((resolve, reject) => {
        const finish = (outcome: Partial<JobOutcome>): void =>
          resolve({ record: null, device: null, notes: [], warnings: [], ...outcome } as JobOutcome);
        signal.addEventListener('abort', () => reject(new CancelledError()));
        this.jobs.push({ id, spec, finish });
      });
    });
    answer(this.connection, 'job/cancel', () => Promise.resolve({ found: false }));
    answer(this.connection, 'shutdown', () => {
      if (!behaviour.endsSlowly) setImmediate(() => this.host.end(0, null));
      return Promise.resolve(null);
    });
    this.connection.listen();
    if (behaviour.crashesAtStart) this.crash();
  }

  get child(): ChildProcess {
    return this.host as unknown as ChildProcess;
  }

  get alive(): boolean {
    return this.host.connected;
  }

  crash(code = 1): void {
    this.host.end(code, null);
  }

  tell(jobs: readonly JobInfo[]): void {
    notify(this.connection, 'jobs/changed', { jobs });
  }
}

export interface Behaviour {
  crashesAtStart?: boolean;
  /** Never answers the greeting. */
  deaf?: boolean;
  /** Takes its time when it is told to end. */
  endsSlowly?: boolean;
}

/** Makes sidecars and keeps them. */
export class FakeForks {
  readonly made: FakeSidecar[] = [];
  readonly behaviour: Behaviour = {};

  readonly fork: Fork = (_program, _args, options) => {
    const sidecar = new FakeSidecar(1000 + this.made.length, options, this.behaviour);
    this.made.push(sidecar);
    return sidecar.child;
  };

  get last(): FakeSidecar {
    return this.made[this.made.length - 1];
  }
}
