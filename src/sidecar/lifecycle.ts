/** One run of the sidecar's process, as its parent sees it: forked, greeted, ended, and why it ended. */
import type { ChildProcess, ForkOptions } from 'node:child_process';
import type { MessageConnection } from 'vscode-jsonrpc/node';
import { type InitializeResult, type LogLevel, PROTOCOL_VERSION } from '../protocol/messages';
import { l10n } from '../l10n';
import { ask, connectTo, listen } from './connection';

/** `fork` of node:child_process, or what stands for it in a test. */
export type Fork = (program: string, args: readonly string[], options: ForkOptions) => ChildProcess;

/** A LogOutputChannel is one. */
export type Log = Readonly<Record<LogLevel, (text: string) => void>>;

/** How a process ended. */
export interface End {
  /** It was told to. */
  readonly wanted: boolean;
  /** In words: "it ended with code 1". */
  readonly why: string;
}

/** What a greeting may take: onnxruntime has to be read from a cold disk. */
const GREETING_MS = 60_000;
/** What ending by itself may take before it is killed. */
const PATIENCE_MS = 3000;
/** Characters of what it printed that are kept to tell why it ended. */
const TAIL = 4000;

export class SidecarProcess {
  readonly connection: MessageConnection;
  /** Resolves when the process is gone, however it went. */
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
      // A process that could not be started has an error and no exit; one whose channel fails may live on, of no use.
      child.once('error', (error) => {
        child.kill('SIGKILL');
        resolve({ wanted: this.wanted, why: error.message });
      });
      child.once('exit', (code, signal) => resolve({ wanted: this.wanted, why: this.reason(code, signal) }));
    });
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.printed = (this.printed + text).slice(-TAIL);
        for (const line of text.split('\n').filter((each) => each.trim() !== '')) log.warn(`sidecar printed: ${line}`);
      });
    }
    this.connection.onError(([error]) => log.debug(`sidecar channel: ${error.message}`));
    listen(this.connection, 'log', ({ level, text }) => log[level](text));
    listen(this.connection, 'fatal', ({ message, stack }) => {
      this.fatal = message;
      log.error(`the sidecar failed and ends: ${stack ?? message}`);
    });
  }

  get pid(): number | undefined {
    return this.child.pid;
  }

  /**
   * Begins the conversation.
   * @throws UserError when the two don't fit together; Error when the process ends or stays silent
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
      greeting.catch(() => undefined); // the death of the process speaks for it
      return await Promise.race([greeting, silence, death]);
    } finally {
      clearTimeout(timer);
      death.catch(() => undefined);
    }
  }

  /** Ends it: asks first, and kills what does not end by itself. */
  async stop(): Promise<void> {
    this.wanted = true;
    const killing = setTimeout(() => this.child.kill('SIGKILL'), PATIENCE_MS);
    ask(this.connection, 'shutdown', null).catch(() => undefined); // it may be gone already
    await this.ended;
    clearTimeout(killing);
    this.close();
  }

  /** Ends it at once. */
  kill(): void {
    this.wanted = true;
    this.child.kill('SIGKILL');
  }

  /** Its channel is broken, so it is of no use: ends it as a crash. */
  abandon(): void {
    this.child.kill('SIGKILL');
  }

  /** To be called when it has ended: whoever still waits for an answer gets an error. */
  close(): void {
    this.connection.dispose();
  }

  private reason(code: number | null, signal: NodeJS.Signals | null): string {
    if (/heap out of memory|Array buffer allocation failed|std::bad_alloc/.test(this.printed))
      return l10n.t('it ran out of memory');
    if (this.fatal !== undefined) return l10n.t('it failed with an error: {0}', this.fatal);
    if (signal === 'SIGKILL') return l10n.t('it was killed, as the system does when memory runs out');
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
