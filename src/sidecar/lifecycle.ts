/** One sidecar process from its parent's side: start, greeting, end and the reason for it. */
import type { ChildProcess, ForkOptions } from 'node:child_process';
import type { MessageConnection } from 'vscode-jsonrpc/node';
import { type InitializeResult, type LogLevel, PROTOCOL_VERSION } from '../protocol/messages';
import { l10n } from '../l10n';
import { ask, connectTo, listen } from './connection';

/** `fork` of node:child_process, or a test's substitute. */
export type Fork = (program: string, args: readonly string[], options: ForkOptions) => ChildProcess;

/** The part of a LogOutputChannel that is used. */
export type Log = Readonly<Record<LogLevel, (text: string) => void>>;

/** How a process ended. */
export interface End {
  /** Whether the parent asked for it. */
  readonly wanted: boolean;
  /** A phrase such as "it ended with code 1". */
  readonly why: string;
}

/** Time limit of the greeting: onnxruntime may be read from a cold disk. */
const GREETING_MS = 60_000;
/** Time to end before it is killed. */
const PATIENCE_MS = 3000;
/** Characters of its output that are kept to explain its end. */
const TAIL = 4000;

export class SidecarProcess {
  readonly connection: MessageConnection;
  /** Resolves when the process has ended, in any way. */
  readonly ended: Promise<End>;
  private wanted = false;
  private fatal: string | undefined;
  private printed = '';

  constructor(
    private readonly child: ChildProcess,
    log: Log,
  ) {
    this.connection = connectTo(child);
    this.ended = new Promise((resolve) => {
      // A process that fails to start has an error and no exit. One with a failed channel may still run, but is useless.
      child.once('error', (error) => {
        child.kill('SIGKILL');
        resolve({ wanted: this.wanted, why: error.message });
      });
      child.once('exit', (code, signal) => resolve({ wanted: this.wanted, why: this.reason(code, signal) }));
    });
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.printed = (this.printed + text).slice(-TAIL);
        for (const line of text.split('\n').filter((each) => each.trim() !== ''))
          log.warn(`compute process printed: ${line}`);
      });
    }
    this.connection.onError(([error]) => log.debug(`compute process channel: ${error.message}`));
    listen(this.connection, 'log', ({ level, text }) => log[level](text));
    listen(this.connection, 'fatal', ({ message, stack }) => {
      this.fatal = message;
      log.error(`the compute process failed and ends: ${stack ?? message}`);
    });
  }

  get pid(): number | undefined {
    return this.child.pid;
  }

  /**
   * Greets the process.
   * @throws UserError when the protocol versions differ; Error when the process ends or does not answer
   */
  async greet(logLevel: LogLevel): Promise<InitializeResult> {
    this.connection.listen();
    let timer: NodeJS.Timeout | undefined;
    const silence = new Promise<never>((_, fail) => {
      timer = setTimeout(() => fail(new Error(l10n.t('no answer within {0} s', GREETING_MS / 1000))), GREETING_MS);
    });
    const death = this.ended.then(({ why }) => Promise.reject(new Error(why)));
    try {
      const greeting = ask(this.connection, 'initialize', { protocol: PROTOCOL_VERSION, logLevel });
      greeting.catch(() => undefined); // the end of the process is reported instead
      return await Promise.race([greeting, silence, death]);
    } finally {
      clearTimeout(timer);
      death.catch(() => undefined);
    }
  }

  /** Asks it to end, and kills it if it does not. */
  async stop(): Promise<void> {
    this.wanted = true;
    const killing = setTimeout(() => this.child.kill('SIGKILL'), PATIENCE_MS);
    ask(this.connection, 'shutdown', null).catch(() => undefined); // it may have ended already
    await this.ended;
    clearTimeout(killing);
    this.close();
  }

  /** Ends it at once. */
  kill(): void {
    this.wanted = true;
    this.child.kill('SIGKILL');
  }

  /** Ends it as a crash, since its channel is broken. */
  abandon(): void {
    this.child.kill('SIGKILL');
  }

  /** Called when it has ended: pending requests fail. */
  close(): void {
    this.connection.dispose();
  }

  private reason(code: number | null, signal: NodeJS.Signals | null): string {
    if (/heap out of memory|Array buffer allocation failed|std::bad_alloc/.test(this.printed))
      return l10n.t('it ran out of memory');
    if (this.fatal !== undefined) return l10n.t('it failed with an error: {0}', this.fatal);
    if (signal === 'SIGKILL') return l10n.t('it was killed, as the system does when memory runs out');
    if (signal === 'SIGBUS')
      return l10n.t('a file that it had open was cut, or its disk failed; fetch or write the model again');
    return signal ? l10n.t('it was ended by signal {0}', signal) : l10n.t('it ended with code {0}', code ?? 0);
  }
}

/** Forks the program with the editor's own Node. */
export function forkSidecar(fork: Fork, program: string, log: Log): SidecarProcess {
  const child = fork(program, [], {
    env: { ...process.env, ELECTRON_RUN_AS_NODE: '1' },
    execArgv: [], // not the debugger's port of the host
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  return new SidecarProcess(child, log);
}
